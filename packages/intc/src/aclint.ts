// ACLINT: the machine-level software interrupts (MSWI) and timers (MTIMER) of up to 4095 harts, laid out as the
// SiFive CLINT that QEMU's `virt` board has. Specification: RISC-V ACLINT 1.0-rc4, sections 2 (MTIMER) and 3 (MSWI).
// Not here: SSWI, and the `time` CSR (a board reads `mtime` for it).
import type { AccessSize, InterruptLine } from './ports.ts';
import { StateError } from './state-error.ts';

/** MSIP register of hart 0; one 32-bit register per hart, only bit 0 is there. */
export const ACLINT_MSIP = 0x0000;
/** MTIMECMP register of hart 0; one 64-bit register per hart. */
export const ACLINT_MTIMECMP = 0x4000;
/** MTIME, one 64-bit register for all harts. */
export const ACLINT_MTIME = 0xbff8;
/** Bytes that the whole register window takes. */
export const ACLINT_SIZE = 0x10000;

/** The most harts that the register window has room for. */
const MAX_HARTS = 4095;
const U64 = (1n << 64n) - 1n;
/** Virtual nanoseconds are integers in a number. */
const LAST_INSTANT = BigInt(Number.MAX_SAFE_INTEGER);

/** Everything that an ACLINT remembers. */
export interface AclintState {
	/** Per hart, bit 0 of its MSIP register: 0 or 1. */
	msip: number[];
	/** Per hart, its comparison value in ticks, unsigned 64 bits. */
	mtimecmp: bigint[];
	/** What is added to the ticks of virtual time to give `mtime`, modulo 2^64; not 0 once software wrote `mtime`. */
	mtimeOffset: bigint;
}

/** What an ACLINT is built from. */
export interface AclintOptions {
	/** Virtual time in nanoseconds, an integer that never goes back. */
	readonly now: () => number;
	/** Nanoseconds per tick of `mtime`; 100 (10 MHz) when left out, as on QEMU's `virt`. */
	readonly tickNanos?: number;
	/** Per hart, the line to its `mip.MSIP`. */
	readonly software: readonly InterruptLine[];
	/** Per hart, the line to its `mip.MTIP`; as many as `software` has. */
	readonly timer: readonly InterruptLine[];
	/**
	 * Told when a hart's timer line will next change unless a register is written before: call {@link Aclint.expire}
	 * at that instant (virtual nanoseconds). `undefined`: never.
	 */
	readonly setDeadline?: (hart: number, nanos: number | undefined) => void;
}

/**
 * The SiFive-CLINT-compatible ACLINT.
 *
 * A hart's timer line is asserted exactly while `mtime >= mtimecmp` (unsigned). `mtimecmp` starts at 0, as QEMU's does,
 * so timer lines are up until software writes it.
 */
export class Aclint {
	/** The number of harts. */
	readonly harts: number;
	/** The whole state; plain data, owned by this controller. */
	readonly state: AclintState;
	readonly #options: AclintOptions;
	readonly #tickNanos: number;

	constructor(options: AclintOptions) {
		this.harts = options.software.length;
		this.#tickNanos = options.tickNanos ?? 100;
		if (this.harts < 1 || this.harts > MAX_HARTS || options.timer.length !== this.harts)
			throw new RangeError(`an ACLINT takes 1 to ${MAX_HARTS} harts, each with a software and a timer line`);
		if (!Number.isSafeInteger(this.#tickNanos) || this.#tickNanos < 1)
			throw new RangeError('tickNanos must be a positive integer');
		this.#options = options;
		this.state = { msip: new Array(this.harts).fill(0), mtimecmp: new Array(this.harts).fill(0n), mtimeOffset: 0n };
		this.drive();
	}

	/** `mtime` now, in ticks, unsigned 64 bits: also what a hart's `time` CSR shows. */
	mtime(): bigint {
		return (this.#ticks() + this.state.mtimeOffset) & U64;
	}

	/**
	 * Reads a register.
	 * @param offset - from the start of the window, a multiple of 4.
	 * @param size - 4; other sizes read as 0.
	 * @returns an unsigned 32-bit value.
	 */
	read(offset: number, size: AccessSize): number {
		if (size !== 4 || offset & 3) return 0;
		if (offset >= ACLINT_MTIME) {
			if (offset === ACLINT_MTIME) return Number(this.mtime() & 0xffffffffn);
			return offset === ACLINT_MTIME + 4 ? Number(this.mtime() >> 32n) : 0;
		}
		if (offset >= ACLINT_MTIMECMP) {
			const value = this.state.mtimecmp[(offset - ACLINT_MTIMECMP) >>> 3];
			if (value === undefined) return 0;
			return Number(offset & 4 ? value >> 32n : value & 0xffffffffn);
		}
		return this.state.msip[offset >>> 2] ?? 0;
	}

	/** Writes a register; takes what {@link Aclint.read} takes, and ignores what is not there. */
	write(offset: number, size: AccessSize, value: number): void {
		if (size !== 4 || offset & 3) return;
		if (offset >= ACLINT_MTIME) {
			if (offset > ACLINT_MTIME + 4) return;
			const mtime = replaceHalf(this.mtime(), offset, value);
			this.state.mtimeOffset = (mtime - this.#ticks()) & U64;
			for (let hart = 0; hart < this.harts; hart++) this.expire(hart);
		} else if (offset >= ACLINT_MTIMECMP) {
			const hart = (offset - ACLINT_MTIMECMP) >>> 3;
			if (hart >= this.harts) return;
			this.state.mtimecmp[hart] = replaceHalf(this.state.mtimecmp[hart], offset, value);
			this.expire(hart);
		} else {
			const hart = offset >>> 2;
			if (hart >= this.harts) return;
			this.state.msip[hart] = value & 1;
			this.#options.software[hart].set((value & 1) === 1);
		}
	}

	/** Compares a hart's timer with the time, sets its line and names the next deadline. Early calls do no harm. */
	expire(hart: number): void {
		if (!(hart >= 0 && hart < this.harts)) return;
		const mtime = this.mtime();
		const compare = this.state.mtimecmp[hart];
		const level = mtime >= compare;
		this.#options.timer[hart].set(level);
		if (this.#options.setDeadline === undefined) return;
		// An asserted line falls when mtime wraps, unless mtimecmp is 0.
		const ticksLeft = level ? U64 + 1n - mtime : compare - mtime;
		const instant = (this.#ticks() + ticksLeft) * BigInt(this.#tickNanos);
		const never = instant > LAST_INSTANT || (level && compare === 0n);
		this.#options.setDeadline(hart, never ? undefined : Number(instant));
	}

	/** Sets every line and deadline to what the state says. */
	drive(): void {
		for (let hart = 0; hart < this.harts; hart++) {
			this.#options.software[hart].set(this.state.msip[hart] === 1);
			this.expire(hart);
		}
	}

	/** Puts every register to its reset value: all zero, and `mtime` counts from 0 again. */
	reset(): void {
		this.state.msip.fill(0);
		this.state.mtimecmp.fill(0n);
		this.state.mtimeOffset = -this.#ticks() & U64;
		this.drive();
	}

	/**
	 * Takes over a copy of a saved state and drives all lines.
	 * @throws StateError where it has another number of harts or a value out of range.
	 */
	restore(state: AclintState): void {
		const is64 = (value: unknown): boolean => typeof value === 'bigint' && value >= 0n && value <= U64;
		if (!Array.isArray(state?.msip) || !Array.isArray(state.mtimecmp))
			throw new StateError('ACLINT', 'msip and mtimecmp must be lists');
		if (state.msip.length !== this.harts || state.mtimecmp.length !== this.harts)
			throw new StateError('ACLINT', `it must hold ${this.harts} harts`);
		if (!state.msip.every((bit) => bit === 0 || bit === 1)) throw new StateError('ACLINT', 'msip must be 0 or 1');
		if (!state.mtimecmp.every(is64) || !is64(state.mtimeOffset))
			throw new StateError('ACLINT', 'mtimecmp and mtimeOffset must be unsigned 64-bit values');
		this.state.msip = [...state.msip];
		this.state.mtimecmp = [...state.mtimecmp];
		this.state.mtimeOffset = state.mtimeOffset;
		this.drive();
	}

	#ticks(): bigint {
		return BigInt(Math.floor(this.#options.now() / this.#tickNanos));
	}
}

/** A 64-bit register with the 32-bit half that `offset` names replaced. */
function replaceHalf(register: bigint, offset: number, value: number): bigint {
	const half = BigInt(value >>> 0);
	return offset & 4 ? (half << 32n) | (register & 0xffffffffn) : (register & ~0xffffffffn) | half;
}
