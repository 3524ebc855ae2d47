// The guests on the machine: the real-time kernel meets its deadlines, or misses them, as arithmetic says.
import { Machine } from '@partita/machine';
import { elfSymbolMap, readElf } from '@partita/riscv';
import { describe, expect, test } from 'vitest';
import {
	busyProgram,
	mediaGuest,
	NATIVE_BASE,
	periodicProgram,
	pingProgram,
	pongProgram,
	readReportArea,
	realTimeGuest,
	type TaskReport,
} from './index.ts';

function run(elf: Uint8Array, nanos: number): TaskReport[] {
	const machine = new Machine({ memory: 16 << 20, images: { firmware: 'builtin', kernel: elf } });
	machine.run(nanos);
	const area = Number(machine.boot.symbols.get('report_area'));
	const tasks = readReportArea((offset, into) => machine.memory.read(area + offset, into));
	if (!tasks) throw new Error('no report area');
	return tasks;
}

describe('the real-time guest', () => {
	test('meets every deadline alone, and its responses are its work', () => {
		const [control, background] = run(
			realTimeGuest({
				control: { name: 'control', period: 1_000_000, work: 200_000 },
				background: { name: 'background', work: 1_000 },
			}),
			50_500_000,
		);
		expect(control).toMatchObject({ period: 10_000, released: 50, completed: 50, missed: 0 });
		// 200,000 instructions of a nanosecond, and less than a microsecond of handler.
		for (const response of control!.responses) expect(response).toBeOneOf([2000, 2001, 2002, 2003, 2004]);
		// The rest of 50.5 ms went into rounds of 1,000 instructions and a few more.
		expect(background!.completed).toBeGreaterThan(39_000);
		expect(background!.completed).toBeLessThan(40_500);
	});

	test('waits where there is no background task', () => {
		const [control] = run(realTimeGuest({ control: { name: 'c', period: 500_000, work: 1_000 } }), 1_000_000);
		// Time asleep is not executed: a million instructions are hundreds of jobs.
		expect(control!.completed).toBeGreaterThan(500);
		expect(control!.missed).toBe(0);
	});

	test('misses deadlines that its work does not fit into', () => {
		const [control] = run(
			realTimeGuest({ control: { name: 'c', period: 1_000_000, work: 300_000, deadline: 200_000 } }),
			3_000_000,
		);
		expect(control!.missed).toBe(control!.completed);
		expect(control!.completed).toBeGreaterThan(0);
	});

	test('keeps no more samples than it has room for', () => {
		const [control] = run(realTimeGuest({ control: { name: 'c', period: 100_000, work: 1_000, samples: 3 } }), 100_000);
		expect(control!.responses).toHaveLength(3);
		expect(control!.completed).toBeGreaterThan(3);
	});
});

describe('the media guest', () => {
	test('shows every frame in time, at its rate', () => {
		const elf = mediaGuest({ name: 'media', rate: 2_000, work: 300_000 });
		const [media] = run(elf, 10_000_000);
		// Time asleep is not executed: 300 us of work for each 500 us.
		expect(media!.period).toBe(5_000);
		expect(media!.completed).toBeGreaterThanOrEqual(32);
		expect(media!.missed).toBe(0);
		for (const response of media!.responses) expect(response).toBeOneOf([3000, 3001]);
	});

	test('drops frames where it is too slow', () => {
		// One and a half periods for each frame: it is late, and the one after next is still to be shown.
		const elf = mediaGuest({ name: 'media', rate: 2_000, work: 750_000 });
		const [media] = run(elf, 30_100_000);
		expect(media!.completed).toBe(40);
		expect(media!.released).toBeGreaterThanOrEqual(59);
		expect(media!.missed).toBeGreaterThan(media!.completed - 2);
		expect(media!.missed).toBeLessThanOrEqual(media!.released);
	});

	test.each([0, -1, Number.NaN, 2_000_000])('a rate of %d is refused', (rate) => {
		expect(() => mediaGuest({ name: 'media', rate, work: 100 })).toThrow(/media: a rate of/);
	});
});

describe('parameters', () => {
	test.each([
		[{ name: 'c', period: 150, work: 10 }, /period: 150 ns/],
		[{ name: 'c', period: 0, work: 10 }, /period: 0 ns/],
		[{ name: 'c', period: 1000, work: 1 }, /work of 1/],
		[{ name: 'c', period: 1000, work: 10, deadline: -1 }, /deadline: -1 ns/],
		[{ name: 'a name that is too long', period: 1000, work: 10 }, /task name/],
	])('%j is refused', (control, reason) => {
		expect(() => realTimeGuest({ control })).toThrow(reason);
		expect(() => periodicProgram(control)).toThrow(reason);
	});

	test('native programs are executables at their base, with a report area', () => {
		const pair = { endpoint: 1, reply: 2 };
		const programs = [
			periodicProgram({ name: 'p', period: 1000, work: 10 }),
			busyProgram({ name: 'b', work: 10 }),
			pingProgram(pair),
			pongProgram(pair),
		];
		for (const program of programs) {
			const file = readElf(program);
			expect(file.type).toBe('executable');
			expect(file.entry).toBe(NATIVE_BASE);
			expect(elfSymbolMap(file).get('report_area')).toBeGreaterThan(NATIVE_BASE);
		}
	});
});

describe('a damaged report area', () => {
	const elf = realTimeGuest({ control: { name: 'c', period: 1000, work: 10 } });
	const file = readElf(elf);
	const area = elfSymbolMap(file).get('report_area')!;
	const segment = file.segments.find(
		({ virtualAddress, bytes }) => area >= virtualAddress && area < virtualAddress + BigInt(bytes.length),
	)!;
	const image = segment.bytes.slice(Number(area - segment.virtualAddress));
	const read =
		(bytes: Uint8Array) =>
		(offset: number, into: Uint8Array): boolean => {
			if (offset < 0 || offset + into.length > bytes.length) return false;
			into.set(bytes.subarray(offset, offset + into.length));
			return true;
		};

	test('is refused', () => {
		expect(readReportArea(read(image))).toHaveLength(1);
		expect(readReportArea(read(image.subarray(0, 40)))).toBeUndefined();
		for (const offset of [0, 8, 15, 16 + 72 + 7]) {
			const damaged = image.slice();
			damaged[offset] = 0xff;
			expect(readReportArea(read(damaged)), `byte ${offset}`).toBeUndefined();
		}
	});
});
