// PLIC: the platform-level interrupt controller, with level- and edge-triggered gateways.
// Specification: RISC-V PLIC 1.0.0; register layout as SiFive's, which QEMU's `virt` and the FU540 share.
// Not here: message-signalled interrupts.
//
//   0x000000  priority, 4 bytes per source            (source 0 does not exist)
//   0x001000  pending, 1 bit per source               (read only)
//   0x002000  enable, 1 bit per source, 0x80 bytes per context
//   0x200000  threshold (+0) and claim/complete (+4), 0x1000 bytes per context
import type { AccessSize, InterruptLine } from './ports.ts';
import { StateError } from './state-error.ts';

/** Priority register of source 0; 4 bytes per source. */
export const PLIC_PRIORITY = 0x000000;
/** First word of the pending bits. */
export const PLIC_PENDING = 0x001000;
/** First word of the enable bits of context 0. */
export const PLIC_ENABLE = 0x002000;
/** Bytes from one context's enable bits to the next's. */
export const PLIC_ENABLE_STRIDE = 0x80;
/** Threshold register of context 0. */
export const PLIC_THRESHOLD = 0x200000;
/** Claim/complete register of context 0. */
export const PLIC_CLAIM = 0x200004;
/** Bytes from one context's threshold register to the next's. */
export const PLIC_CONTEXT_STRIDE = 0x1000;

const MAX_SOURCES = 1024;
const MAX_CONTEXTS = 15872;

/** The numbers that tell one PLIC from another. */
export interface PlicLayout {
	/** Sources, including source 0, which does not exist; 2 to 1024. */
	readonly sources: number;
	/** The highest priority; 2^n - 1, since the priority registers have n bits. */
	readonly maxPriority: number;
	/**
	 * Sources with edge-triggered gateways: each time that the device drives its line high is one request, and one more is
	 * kept while a request is under way. None when left out: all are level-triggered.
	 */
	readonly edgeTriggered?: readonly number[];
}

/**
 * QEMU 7.2 `virt`: 95 sources (`riscv,ndev`), 7 priorities. Contexts: M and S of each hart.
 *
 * QEMU looks at a line when its device drives it, not at completion. Guests see that at the UART, source 10: those that
 * never read IIR (xv6 until 2024) would be interrupted for ever by a transmitter that has become empty.
 */
export const QEMU_VIRT_PLIC: PlicLayout = { sources: 96, maxPriority: 7, edgeTriggered: [10] };
/** SiFive FU540-C000: 53 sources, 7 priorities. Contexts: M of hart 0, then M and S of harts 1 to 4. */
export const FU540_PLIC: PlicLayout = { sources: 54, maxPriority: 7 };

/** Everything that a PLIC remembers. Bit sets hold source n in bit n mod 32 of word n / 32. */
export interface PlicState {
	/** Per source, its priority. */
	priority: Uint32Array;
	/** Requests that gateways forwarded and nobody claimed yet. */
	pending: Uint32Array;
	/** The levels of the source lines; of an edge-triggered one, whether an edge waits for completion. */
	level: Uint32Array;
	/** Requests that were claimed and not completed. */
	claimed: Uint32Array;
	/** The enable bits, context after context. */
	enable: Uint32Array;
	/** Per context, its threshold. */
	threshold: Uint32Array;
}

/** What a PLIC is built from. */
export interface PlicOptions {
	/** Sources and priorities; {@link QEMU_VIRT_PLIC} when left out. */
	readonly layout?: PlicLayout;
	/** Per context, the line to its hart's `mip.MEIP` or `mip.SEIP` (or a virtual hart's). */
	readonly contexts: readonly InterruptLine[];
}

/**
 * A platform-level interrupt controller.
 *
 * Differences from QEMU 7.2, where the specification decides: a forwarded request is not retracted when its line falls,
 * a claim disregards the threshold, enable bit 0 is hardwired to 0.
 */
export class Plic {
	/** Sources and priorities. */
	readonly layout: PlicLayout;
	/** The whole state; plain data, owned by this controller. */
	readonly state: PlicState;
	readonly #contexts: readonly InterruptLine[];
	/** 32-bit words in one bit set. */
	readonly #words: number;
	/** Which bits of the last word are sources. */
	readonly #lastMask: number;
	/** The sources with edge-triggered gateways. */
	readonly #edge: Uint32Array;

	constructor(options: PlicOptions) {
		const layout = options.layout ?? QEMU_VIRT_PLIC;
		const contexts = options.contexts.length;
		if (!Number.isInteger(layout.sources) || layout.sources < 2 || layout.sources > MAX_SOURCES)
			throw new RangeError(`a PLIC has 2 to ${MAX_SOURCES} sources, source 0 included`);
		const { maxPriority } = layout;
		if (
			!Number.isInteger(maxPriority) ||
			maxPriority < 1 ||
			maxPriority > 0x7fffffff ||
			maxPriority & (maxPriority + 1)
		)
			throw new RangeError('maxPriority must be 2^n - 1');
		if (contexts < 1 || contexts > MAX_CONTEXTS) throw new RangeError(`a PLIC has 1 to ${MAX_CONTEXTS} contexts`);
		this.layout = layout;
		this.#contexts = options.contexts;
		this.#words = (layout.sources + 31) >>> 5;
		this.#lastMask = layout.sources & 31 ? (1 << (layout.sources & 31)) - 1 : -1;
		this.#edge = new Uint32Array(this.#words);
		for (const source of layout.edgeTriggered ?? []) {
			this.#check(source);
			this.#edge[source >>> 5] |= 1 << (source & 31);
		}
		this.state = {
			priority: new Uint32Array(layout.sources),
			pending: new Uint32Array(this.#words),
			level: new Uint32Array(this.#words),
			claimed: new Uint32Array(this.#words),
			enable: new Uint32Array(this.#words * contexts),
			threshold: new Uint32Array(contexts),
		};
		this.drive();
	}

	/** Bytes of the register window, for this number of contexts. */
	get size(): number {
		return PLIC_THRESHOLD + this.#contexts.length * PLIC_CONTEXT_STRIDE;
	}

	/**
	 * The line of a source, to be given to a device.
	 * @param source - 1 to `layout.sources - 1`.
	 * @throws RangeError for a source that does not exist.
	 */
	source(source: number): InterruptLine {
		this.#check(source);
		return { set: (level) => this.#setLevel(source, level) };
	}

	#check(source: number): void {
		if (!Number.isInteger(source) || source < 1 || source >= this.layout.sources)
			throw new RangeError(`interrupt source ${source} is not in 1..${this.layout.sources - 1}`);
	}

	/**
	 * Reads a register; a claim register hands out the best pending request.
	 * @param offset - from the start of the window, a multiple of 4.
	 * @param size - 4; other sizes read as 0.
	 */
	read(offset: number, size: AccessSize): number {
		if (size !== 4 || offset & 3 || offset < 0) return 0;
		if (offset >= PLIC_THRESHOLD) {
			const context = (offset - PLIC_THRESHOLD) >>> 12;
			if (context >= this.#contexts.length) return 0;
			const register = offset & (PLIC_CONTEXT_STRIDE - 1);
			if (register === 0) return this.state.threshold[context];
			return register === 4 ? this.#claim(context) : 0;
		}
		if (offset >= PLIC_ENABLE) {
			const index = this.#enableIndex(offset);
			return index < 0 ? 0 : this.state.enable[index];
		}
		if (offset >= PLIC_PENDING) return this.state.pending[(offset - PLIC_PENDING) >>> 2] ?? 0;
		return this.state.priority[offset >>> 2] ?? 0;
	}

	/** Writes a register; takes what {@link Plic.read} takes, and ignores what is not there. */
	write(offset: number, size: AccessSize, value: number): void {
		if (size !== 4 || offset & 3 || offset < 0) return;
		if (offset >= PLIC_THRESHOLD) {
			const context = (offset - PLIC_THRESHOLD) >>> 12;
			if (context >= this.#contexts.length) return;
			const register = offset & (PLIC_CONTEXT_STRIDE - 1);
			if (register === 0) {
				this.state.threshold[context] = value & this.layout.maxPriority;
				this.#driveContext(context);
			} else if (register === 4) this.#complete(context, value >>> 0);
		} else if (offset >= PLIC_ENABLE) {
			const index = this.#enableIndex(offset);
			if (index < 0) return;
			this.state.enable[index] = value & this.#sourceMask(index % this.#words);
			this.#driveContext(Math.floor(index / this.#words));
		} else if (offset < PLIC_PENDING) {
			const source = offset >>> 2;
			if (source === 0 || source >= this.layout.sources) return;
			this.state.priority[source] = value & this.layout.maxPriority;
			this.drive();
		}
	}

	/** Sets every context's line to what the state says. */
	drive(): void {
		for (let context = 0; context < this.#contexts.length; context++) this.#driveContext(context);
	}

	/** Clears every register. The source lines keep their levels, so asserted ones are pending again; so are edges. */
	reset(): void {
		const { state } = this;
		for (const registers of [state.priority, state.claimed, state.enable, state.threshold]) registers.fill(0);
		state.pending.set(state.level);
		for (let word = 0; word < this.#words; word++) state.level[word] &= ~this.#edge[word];
		this.drive();
	}

	/**
	 * Takes over a copy of a saved state and drives all lines.
	 * @throws StateError where it is of another layout or holds a value out of range.
	 */
	restore(state: PlicState): void {
		const names = ['priority', 'pending', 'level', 'claimed', 'enable', 'threshold'] as const;
		for (const name of names) {
			const value: unknown = state?.[name];
			if (!(value instanceof Uint32Array) || value.length !== this.state[name].length)
				throw new StateError('PLIC', `${name} must be a Uint32Array of ${this.state[name].length}`);
			const bounded = name === 'priority' || name === 'threshold';
			for (let index = 0; index < value.length; index++) {
				const allowed = bounded ? this.layout.maxPriority : this.#sourceMask(index % this.#words);
				if (value[index] & ~allowed) throw new StateError('PLIC', `${name}[${index}] has bits that do not exist`);
			}
		}
		if (state.priority[0] !== 0) throw new StateError('PLIC', 'source 0 has no priority');
		for (const name of names) this.state[name].set(state[name]);
		this.drive();
	}

	/** The gateway (section "Interrupt Gateways"): forwards a request unless one is under way. */
	#setLevel(source: number, level: boolean): void {
		const { state } = this;
		const word = source >>> 5;
		const bit = 1 << (source & 31);
		const edge = (this.#edge[word] & bit) !== 0;
		if (!level) {
			if (!edge) state.level[word] &= ~bit;
			return;
		}
		if (!edge || state.claimed[word] & bit) state.level[word] |= bit;
		if ((state.pending[word] | state.claimed[word]) & bit) return;
		state.pending[word] |= bit;
		this.drive();
	}

	#claim(context: number): number {
		const source = this.#best(context, 0);
		if (source === 0) return 0;
		const bit = 1 << (source & 31);
		this.state.pending[source >>> 5] &= ~bit;
		this.state.claimed[source >>> 5] |= bit;
		this.drive();
		return source;
	}

	#complete(context: number, source: number): void {
		if (source === 0 || source >= this.layout.sources) return;
		const { state } = this;
		const word = source >>> 5;
		const bit = 1 << (source & 31);
		if (!(state.enable[context * this.#words + word] & bit) || !(state.claimed[word] & bit)) return;
		state.claimed[word] &= ~bit;
		if (!(state.level[word] & bit)) return;
		state.level[word] &= ~(this.#edge[word] & bit);
		state.pending[word] |= bit;
		this.drive();
	}

	/** The enabled pending source of the highest priority above `threshold`, the lowest number first; 0: none. */
	#best(context: number, threshold: number): number {
		const { pending, enable, priority } = this.state;
		let best = 0;
		let bestPriority = threshold;
		for (let word = 0; word < this.#words; word++) {
			let bits = pending[word] & enable[context * this.#words + word];
			while (bits !== 0) {
				const source = (word << 5) + 31 - Math.clz32(bits & -bits);
				bits &= bits - 1;
				if (priority[source] > bestPriority) {
					best = source;
					bestPriority = priority[source];
				}
			}
		}
		return best;
	}

	#driveContext(context: number): void {
		this.#contexts[context].set(this.#best(context, this.state.threshold[context]) !== 0);
	}

	/** Where the enable word at an offset is kept; -1: nowhere. */
	#enableIndex(offset: number): number {
		const context = (offset - PLIC_ENABLE) >>> 7;
		const word = (offset & (PLIC_ENABLE_STRIDE - 1)) >>> 2;
		return context < this.#contexts.length && word < this.#words ? context * this.#words + word : -1;
	}

	/** Which bits of a word of a bit set stand for sources. */
	#sourceMask(word: number): number {
		const mask = word === this.#words - 1 ? this.#lastMask : -1;
		return word === 0 ? mask & ~1 : mask;
	}
}
