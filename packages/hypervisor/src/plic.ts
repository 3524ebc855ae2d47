/**
 * The board's interrupt controller, as the kernel drives it: one context, all its sources of one priority. RISC-V PLIC 1.0.0.
 */
import type { MmioRegisters } from './ports.ts';

const ENABLE = 0x2000;
const ENABLE_STRIDE = 0x80;
const THRESHOLD = 0x20_0000;
const CLAIM = 4;
const CONTEXT_STRIDE = 0x1000;

/** One context of a PLIC. */
export class PlicContext {
	readonly #registers: MmioRegisters;
	readonly #context: number;

	constructor(registers: MmioRegisters, context: number) {
		this.#registers = registers;
		this.#context = context;
	}

	/** Lets a source through. */
	enable(source: number): void {
		const word = ENABLE + this.#context * ENABLE_STRIDE + (source >> 5) * 4;
		this.#registers.write(source * 4, 4, 1);
		this.#registers.write(word, 4, this.#registers.read(word, 4) | (1 << (source & 31)));
		this.#registers.write(THRESHOLD + this.#context * CONTEXT_STRIDE, 4, 0);
	}

	/** The most urgent source that is pending, which is claimed; 0: none. */
	claim(): number {
		return this.#registers.read(THRESHOLD + this.#context * CONTEXT_STRIDE + CLAIM, 4);
	}

	/** The source has been served. */
	complete(source: number): void {
		this.#registers.write(THRESHOLD + this.#context * CONTEXT_STRIDE + CLAIM, 4, source);
	}
}
