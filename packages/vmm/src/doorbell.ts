/**
 * A doorbell: how a guest signals others that share memory with it. One page of registers of 4 bytes:
 *
 * ```
 * 0  ring      a store of a set of bits signals each one's peer
 * 4  pending   a load gives the set of bits that were rung; a store clears the bits that it names
 * ```
 * Its interrupt is up while a bit is pending. Who the peer of a bit is, is the host's to say: a bit without one does nothing.
 */
import type { InterruptLine, VirtualDevice, VirtualDeviceDescription } from './ports.ts';

const RING = 0;
const PENDING = 4;

/** Plain state of a {@link Doorbell}. */
export interface DoorbellState {
	/** Bits that were rung, and not cleared. */
	readonly pending: number;
}

/** A doorbell as a device of a VM. */
export interface DoorbellOptions {
	readonly name: string;
	/** Guest physical address, of a page. */
	readonly base: number;
	readonly interrupt?: number | 'external';
	/** The guest rings bit `bit`, 0 to 31. */
	ring(bit: number): void;
}

/** The device. */
export class Doorbell implements VirtualDevice {
	readonly #line: InterruptLine;
	readonly #ring: (bit: number) => void;
	#pending = 0;

	constructor(line: InterruptLine, ring: (bit: number) => void) {
		this.#line = line;
		this.#ring = ring;
	}

	/** A copy. */
	get state(): DoorbellState {
		return { pending: this.#pending };
	}

	/** Takes a saved state, and drives the line. Throws `RangeError` where it is damaged. */
	restore({ pending }: DoorbellState): void {
		if (!Number.isInteger(pending) || pending < 0 || pending > 0xffff_ffff)
			throw new RangeError('doorbell: the state is damaged');
		this.#set(pending);
	}

	/** Somebody rings: bit 0 to 31 is pending. */
	rung(bit: number): void {
		this.#set((this.#pending | (1 << bit)) >>> 0);
	}

	/** Register `pending`; others read 0. */
	read(offset: number): number {
		return offset === PENDING ? this.#pending : 0;
	}

	/** Registers `ring` and `pending`, in accesses of 4 bytes. */
	write(offset: number, size: 1 | 2 | 4, value: number): void {
		if (size !== 4) return;
		if (offset === PENDING) this.#set((this.#pending & ~value) >>> 0);
		else if (offset === RING) {
			for (let bit = 0; bit < 32; bit++) if ((value >>> bit) & 1) this.#ring(bit);
		}
	}

	#set(pending: number): void {
		this.#pending = pending;
		this.#line.set(pending !== 0);
	}
}

/** A doorbell's description. */
export function doorbell({ name, base, interrupt, ring }: DoorbellOptions): VirtualDeviceDescription {
	return {
		name,
		base,
		size: 4096,
		...(interrupt === undefined ? {} : { interrupt }),
		create: ({ line }) => new Doorbell(line, ring),
	};
}
