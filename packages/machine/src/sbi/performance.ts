/**
 * Performance monitoring. RISC-V SBI 2.0, "Performance Monitoring Unit Extension (EID #0x504D55 "PMU")".
 *
 * There are the two fixed counters, at the indices that Linux takes for granted (those of their CSRs, with a gap at
 * `time`). Neither counts anything but its own event; there are no firmware counters, no filters by mode (the flags are
 * hints), no overflow interrupt, and no snapshots in shared memory. Whether a counter is started is mcountinhibit's
 * state, so that nothing is remembered here.
 */
import { Slot } from '@partita/cpu';
import { csrFields, csrNumbers } from '@partita/riscv';
import { type Extension, failure, type SbiCall, type SbiReturn, success } from '@partita/sbi';
import type { FirmwareHart } from './ports.ts';

interface Counter {
	readonly index: bigint;
	readonly csr: number;
	/** Hardware general event (type 0). */
	readonly event: bigint;
	/** In mcountinhibit. */
	readonly inhibit: bigint;
	/** Value less `Slot.retired`; while the counter is inhibited, its value. */
	readonly slot: number;
}

const { CY, IR } = csrFields.counterBits;

const counters: readonly Counter[] = [
	/** SBI_PMU_HW_CPU_CYCLES */
	{ index: 0n, csr: csrNumbers.cycle, event: 1n, inhibit: CY, slot: Slot.mcycleOffset },
	/** SBI_PMU_HW_INSTRUCTIONS */
	{ index: 2n, csr: csrNumbers.instret, event: 2n, inhibit: IR, slot: Slot.minstretOffset },
];

/** Indices are below this. */
const COUNTERS = 3n;
/** counter_info: one less than the bits of a counter. */
const WIDTH = 63n << 12n;

/** config_flags; bits 3 to 7 are filters. */
const Configure = { SKIP_MATCH: 1n, CLEAR_VALUE: 2n, AUTO_START: 4n, RESERVED: ~0xffn };
/** start_flags. */
const Start = { SET_INIT_VALUE: 1n, INIT_SNAPSHOT: 2n, RESERVED: ~3n };
/** stop_flags. What the first, RESET, resets does not exist: the event of a counter is fixed. */
const Stop = { TAKE_SNAPSHOT: 2n, RESERVED: ~3n };

/** PMU. */
export const performanceExtension =
	(harts: readonly FirmwareHart[]): Extension =>
	(_machine, call) => {
		const { state } = harts[call.hart];
		switch (call.function) {
			case 0:
				return success(COUNTERS);
			case 1: {
				const counter = counters.find(({ index }) => index === call.args[0]);
				return counter === undefined ? failure('INVALID_PARAM') : success(BigInt(counter.csr) | WIDTH);
			}
			case 2:
				return configure(state, call);
			case 3:
				return start(state, call);
			case 4:
				return stop(state, call);
			case 5:
			case 6:
				// Firmware counters: there are none.
				return failure('INVALID_PARAM');
			default:
				return failure('NOT_SUPPORTED');
		}
	};

/** The counters of a set; undefined where one of them does not exist. */
function counterSet(base: bigint, mask: bigint): Counter[] | undefined {
	const set: Counter[] = [];
	let known = 0n;
	for (const counter of counters) {
		if (counter.index < base) continue;
		const bit = 1n << (counter.index - base);
		known |= bit;
		if ((mask & bit) !== 0n) set.push(counter);
	}
	return (mask & ~known) === 0n ? set : undefined;
}

function configure(state: BigUint64Array, { args }: SbiCall): SbiReturn {
	const [base, mask, flags, event, data] = args;
	const set = counterSet(base, mask);
	if (set === undefined || (flags & Configure.RESERVED) !== 0n) return failure('INVALID_PARAM');
	const candidates = (flags & Configure.SKIP_MATCH) === 0n ? set.filter((c) => !started(state, c)) : set.slice(0, 1);
	const counter = candidates.find((c) => c.event === event);
	if (counter === undefined || data !== 0n) return failure('NOT_SUPPORTED');
	if ((flags & Configure.CLEAR_VALUE) !== 0n) setValue(state, counter, 0n);
	if ((flags & Configure.AUTO_START) !== 0n) setStarted(state, counter, true);
	return success(counter.index);
}

function start(state: BigUint64Array, { args }: SbiCall): SbiReturn {
	const [base, mask, flags, initial] = args;
	const set = counterSet(base, mask);
	if (set === undefined || (flags & Start.RESERVED) !== 0n) return failure('INVALID_PARAM');
	if ((flags & Start.INIT_SNAPSHOT) !== 0n) return failure('NO_SHMEM');
	let already = false;
	for (const counter of set) {
		if (started(state, counter)) already = true;
		else {
			if ((flags & Start.SET_INIT_VALUE) !== 0n) setValue(state, counter, initial);
			setStarted(state, counter, true);
		}
	}
	return already ? failure('ALREADY_STARTED') : success();
}

function stop(state: BigUint64Array, { args }: SbiCall): SbiReturn {
	const [base, mask, flags] = args;
	const set = counterSet(base, mask);
	if (set === undefined || (flags & Stop.RESERVED) !== 0n) return failure('INVALID_PARAM');
	if ((flags & Stop.TAKE_SNAPSHOT) !== 0n) return failure('NO_SHMEM');
	let already = false;
	for (const counter of set) {
		if (started(state, counter)) setStarted(state, counter, false);
		else already = true;
	}
	return already ? failure('ALREADY_STOPPED') : success();
}

function started(state: BigUint64Array, { inhibit }: Counter): boolean {
	return (state[Slot.mcountinhibit] & inhibit) === 0n;
}

/** The ECALL itself does not retire: the value is the one that the next instruction reads. */
function setValue(state: BigUint64Array, counter: Counter, value: bigint): void {
	state[counter.slot] = started(state, counter) ? value - state[Slot.retired] : value;
}

function setStarted(state: BigUint64Array, counter: Counter, run: boolean): void {
	if (started(state, counter) === run) return;
	if (run) {
		state[counter.slot] -= state[Slot.retired];
		state[Slot.mcountinhibit] &= ~counter.inhibit;
	} else {
		state[counter.slot] += state[Slot.retired];
		state[Slot.mcountinhibit] |= counter.inhibit;
	}
}
