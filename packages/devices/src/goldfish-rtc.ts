// Goldfish RTC: nanoseconds of wall-clock time and one alarm, as on QEMU's `virt` board.
// Source: Android's goldfish virtual hardware document, "Real time clock", and QEMU 7.2's behaviour.
// Not here: time zones, and where wall-clock time comes from (it is given at construction; from then on virtual time
// counts).
import { type AccessSize, type InterruptLine, type MmioDevice, NO_LINE, type TimerPort } from './ports.ts';
import { StateCheck } from './state-error.ts';

/** Low half of the time; reading it latches the high half. */
export const RTC_TIME_LOW = 0x00;
/** High half of the time, as of the last read of the low half. */
export const RTC_TIME_HIGH = 0x04;
/** Low half of the alarm; writing it arms the alarm. */
export const RTC_ALARM_LOW = 0x08;
/** High half of the alarm; write it first. */
export const RTC_ALARM_HIGH = 0x0c;
/** Bit 0: a pending alarm raises the line. */
export const RTC_IRQ_ENABLED = 0x10;
/** Writing disarms the alarm. */
export const RTC_CLEAR_ALARM = 0x14;
/** 1 while the alarm is armed; read only. */
export const RTC_ALARM_STATUS = 0x18;
/** Writing lowers the line. */
export const RTC_CLEAR_INTERRUPT = 0x1c;

const U64 = (1n << 64n) - 1n;
const LOW = 0xffffffffn;

/** Everything that a Goldfish RTC remembers. */
export interface GoldfishRtcState {
	/** What is added to virtual nanoseconds to give the time, modulo 2^64. */
	offset: bigint;
	/** The alarm register, in nanoseconds of the device's time. */
	alarm: bigint;
	/** The alarm is armed. */
	alarmRunning: boolean;
	/** The alarm went off and was not cleared. */
	irqPending: boolean;
	/** A pending alarm raises the line. */
	irqEnabled: boolean;
	/** The latched high half of the time. */
	timeHigh: number;
}

/** What a Goldfish RTC is built from. */
export interface GoldfishRtcOptions {
	/** Virtual time in nanoseconds. */
	readonly now: () => number;
	/** What the clock shows at virtual time 0: nanoseconds since 1970-01-01T00:00:00Z. */
	readonly baseNanos: bigint;
	/** The event queue's slot for the alarm; {@link GoldfishRtc.expire} must be called then. */
	readonly timer: TimerPort;
	/** The interrupt line; none when left out. */
	readonly line?: InterruptLine;
}

/** The Goldfish real-time clock. Registers are 32 bits wide; other access sizes read 0 and are ignored. */
export class GoldfishRtc implements MmioDevice {
	/** The whole state; plain data, owned by this device. */
	readonly state: GoldfishRtcState;
	readonly #now: () => number;
	readonly #timer: TimerPort;
	readonly #line: InterruptLine;

	constructor(options: GoldfishRtcOptions) {
		this.#now = options.now;
		this.#timer = options.timer;
		this.#line = options.line ?? NO_LINE;
		this.state = { ...RESET, offset: options.baseNanos & U64 };
	}

	/** The time that the clock shows, in nanoseconds. */
	time(): bigint {
		return (BigInt(this.#now()) + this.state.offset) & U64;
	}

	/** Called when the deadline given to the timer port has come. Early calls do no harm. */
	expire(): void {
		const { state } = this;
		if (!state.alarmRunning) return;
		if (this.time() < state.alarm) {
			this.#arm();
			return;
		}
		state.alarmRunning = false;
		state.irqPending = true;
		this.#timer.setDeadline(undefined);
		this.#update();
	}

	/** Reads a register. */
	read(offset: number, size: AccessSize): number {
		if (size !== 4) return 0;
		const { state } = this;
		switch (offset) {
			case RTC_TIME_LOW: {
				const time = this.time();
				state.timeHigh = Number(time >> 32n);
				return Number(time & LOW);
			}
			case RTC_TIME_HIGH:
				return state.timeHigh;
			case RTC_ALARM_LOW:
				return Number(state.alarm & LOW);
			case RTC_ALARM_HIGH:
				return Number(state.alarm >> 32n);
			case RTC_IRQ_ENABLED:
				return state.irqEnabled ? 1 : 0;
			case RTC_ALARM_STATUS:
				return state.alarmRunning ? 1 : 0;
			default:
				return 0;
		}
	}

	/** Writes a register. Writing the time moves the clock, not an armed alarm's register. */
	write(offset: number, size: AccessSize, value: number): void {
		if (size !== 4) return;
		const { state } = this;
		const half = BigInt(value >>> 0);
		switch (offset) {
			case RTC_TIME_LOW:
				this.#setTime((this.time() & ~LOW) | half);
				break;
			case RTC_TIME_HIGH:
				this.#setTime((this.time() & LOW) | (half << 32n));
				break;
			case RTC_ALARM_LOW:
				state.alarm = (state.alarm & ~LOW) | half;
				state.alarmRunning = true;
				this.expire();
				break;
			case RTC_ALARM_HIGH:
				state.alarm = (state.alarm & LOW) | (half << 32n);
				break;
			case RTC_IRQ_ENABLED:
				state.irqEnabled = (value & 1) === 1;
				this.#update();
				break;
			case RTC_CLEAR_ALARM:
				state.alarmRunning = false;
				this.#timer.setDeadline(undefined);
				break;
			case RTC_CLEAR_INTERRUPT:
				state.irqPending = false;
				this.#update();
				break;
		}
	}

	/** Disarms the alarm and clears the registers; the time goes on. */
	reset(): void {
		Object.assign(this.state, RESET);
		this.#timer.setDeadline(undefined);
		this.#update();
	}

	/**
	 * Takes over a copy of a saved state, and drives the line and the timer.
	 * @throws StateError where it does not fit.
	 */
	restore(state: GoldfishRtcState): void {
		const check = new StateCheck('goldfish-rtc', state);
		check.unsigned64('offset', state.offset);
		check.unsigned64('alarm', state.alarm);
		check.integer('timeHigh', state.timeHigh, 0xffffffff);
		for (const name of ['alarmRunning', 'irqPending', 'irqEnabled'] as const) check.boolean(name, state[name]);
		Object.assign(this.state, structuredClone(state));
		this.#arm();
		this.#update();
	}

	#setTime(time: bigint): void {
		this.state.offset = (time - BigInt(this.#now())) & U64;
		this.expire();
	}

	/** Tells the event queue when the alarm goes off. */
	#arm(): void {
		const { state } = this;
		const ahead = state.alarm - this.time();
		const instant = BigInt(this.#now()) + (ahead > 0n ? ahead : 0n);
		const reachable = state.alarmRunning && instant <= BigInt(Number.MAX_SAFE_INTEGER);
		this.#timer.setDeadline(reachable ? Number(instant) : undefined);
	}

	#update(): void {
		this.#line.set(this.state.irqPending && this.state.irqEnabled);
	}
}

const RESET = { alarm: 0n, alarmRunning: false, irqPending: false, irqEnabled: false, timeHigh: 0 };
