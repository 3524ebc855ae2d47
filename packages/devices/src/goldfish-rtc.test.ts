// By the goldfish document; which registers an alarm in the past or future shows was checked on QEMU 7.2 over qtest.
import { expect, test } from 'vitest';
import {
	GoldfishRtc,
	RTC_ALARM_HIGH,
	RTC_ALARM_LOW,
	RTC_ALARM_STATUS,
	RTC_CLEAR_ALARM,
	RTC_CLEAR_INTERRUPT,
	RTC_IRQ_ENABLED,
	RTC_TIME_HIGH,
	RTC_TIME_LOW,
	StateError,
} from './index.ts';
import { MockClock, MockLine } from './testing/index.ts';

/** 2024-01-01T00:00:00Z. */
const BASE = 1_704_067_200_000_000_000n;

function board() {
	const clock = new MockClock();
	const line = new MockLine();
	const rtc = new GoldfishRtc({ now: clock.now, baseNanos: BASE, timer: clock, line });
	const time = () => BigInt(rtc.read(RTC_TIME_LOW, 4)) | (BigInt(rtc.read(RTC_TIME_HIGH, 4)) << 32n);
	const alarm = (nanos: bigint) => {
		rtc.write(RTC_ALARM_HIGH, 4, Number(nanos >> 32n));
		rtc.write(RTC_ALARM_LOW, 4, Number(nanos & 0xffffffffn));
	};
	return { clock, line, rtc, time, alarm };
}

test('shows the base time plus virtual time; the high half is latched', () => {
	const { clock, rtc, time } = board();
	expect(time()).toBe(BASE);
	clock.nanos = 1_500_000_000;
	expect(time()).toBe(BASE + 1_500_000_000n);
	rtc.read(RTC_TIME_LOW, 4);
	const high = rtc.read(RTC_TIME_HIGH, 4);
	clock.nanos += 2 ** 33;
	expect(rtc.read(RTC_TIME_HIGH, 4)).toBe(high);
	expect(time()).toBe(BASE + 1_500_000_000n + (1n << 33n));
});

test('the alarm goes off at its time and raises the line where enabled', () => {
	const { clock, line, rtc, alarm } = board();
	rtc.write(RTC_IRQ_ENABLED, 4, 3);
	expect(rtc.read(RTC_IRQ_ENABLED, 4)).toBe(1);
	alarm(BASE + 5000n);
	expect(rtc.read(RTC_ALARM_STATUS, 4)).toBe(1);
	expect(clock.deadline).toBe(5000);
	clock.nanos = 4999;
	rtc.expire();
	expect(line.level).toBe(false);
	clock.nanos = 5000;
	rtc.expire();
	expect(line.level).toBe(true);
	expect(rtc.read(RTC_ALARM_STATUS, 4)).toBe(0);
	expect(clock.deadline).toBeUndefined();
	rtc.write(RTC_IRQ_ENABLED, 4, 0);
	expect(line.level).toBe(false);
	rtc.write(RTC_IRQ_ENABLED, 4, 1);
	expect(line.level).toBe(true);
	rtc.write(RTC_CLEAR_INTERRUPT, 4, 1);
	expect(line.level).toBe(false);
});

test('an alarm in the past goes off at once; a cleared one never', () => {
	const { clock, line, rtc, alarm } = board();
	rtc.write(RTC_IRQ_ENABLED, 4, 1);
	alarm(BASE);
	expect([line.level, rtc.read(RTC_ALARM_STATUS, 4)]).toEqual([true, 0]);
	rtc.write(RTC_CLEAR_INTERRUPT, 4, 1);
	alarm(BASE + 100n);
	rtc.write(RTC_CLEAR_ALARM, 4, 1);
	expect([clock.deadline, rtc.read(RTC_ALARM_STATUS, 4)]).toEqual([undefined, 0]);
	clock.nanos = 1000;
	rtc.expire();
	expect(line.level).toBe(false);
});

test('the time can be set, and an armed alarm follows it', () => {
	const { clock, line, rtc, time, alarm } = board();
	rtc.write(RTC_IRQ_ENABLED, 4, 1);
	alarm(BASE + (1n << 40n));
	rtc.write(RTC_TIME_LOW, 4, 0x89abcdef);
	rtc.write(RTC_TIME_HIGH, 4, 0x1234567);
	expect(time()).toBe(0x01234567_89abcdefn);
	expect([line.level, clock.deadline]).toEqual([false, undefined]); // centuries away
	rtc.write(RTC_TIME_HIGH, 4, 0xffffffff);
	expect(line.level).toBe(true);
});

test('other offsets and sizes read 0 and are ignored', () => {
	const { rtc } = board();
	const before = structuredClone(rtc.state);
	for (const offset of [0x14, 0x1c, 0x20, 2, 0xffc]) expect(rtc.read(offset, 4)).toBe(0);
	rtc.write(0x18, 4, 1);
	rtc.write(0x20, 4, 1);
	rtc.write(RTC_ALARM_LOW, 2, 1);
	expect(rtc.read(RTC_TIME_LOW, 1)).toBe(0);
	expect(rtc.state).toEqual(before);
});

test('a state moves to another clock; one that does not fit is refused', () => {
	const one = board();
	one.rtc.write(RTC_IRQ_ENABLED, 4, 1);
	one.alarm(BASE + 700n);
	const two = board();
	two.clock.nanos = 600;
	two.rtc.restore(structuredClone(one.rtc.state));
	expect(two.clock.deadline).toBe(700);
	two.clock.nanos = 700;
	two.rtc.expire();
	expect(two.line.level).toBe(true);
	for (const change of [{ offset: -1n }, { alarm: 1 }, { timeHigh: 2 ** 32 }, { irqPending: 0 }])
		expect(() => two.rtc.restore({ ...one.rtc.state, ...change } as never)).toThrow(StateError);
	two.rtc.reset();
	expect([two.line.level, two.time()]).toEqual([false, BASE + 700n]);
});
