/**
 * Device interrupts: the supervisor context of the board's PLIC, and which handler object an interrupt has. An interrupt is
 * masked from its delivery to its acknowledgement. Not here: what a handler signals (its slot says it).
 *
 * PLIC 1.0.0: priorities from 0x0, enables of a context from 0x2000 + 0x80 × context, threshold and claim from 0x200000 +
 * 0x1000 × context.
 */
import { type KernelBoard, MemoryMap } from '@partita/machine';

/** Largest interrupt of the board. */
export const LARGEST_IRQ = 95;

const CONTEXT = 1;
const ENABLE = 0x2000 + 0x80 * CONTEXT;
const THRESHOLD = 0x20_0000 + 0x1000 * CONTEXT;
const CLAIM = THRESHOLD + 4;

type PlicRegisters = NonNullable<ReturnType<KernelBoard['bus']['find']>>['device'];

/** State of an {@link InterruptController}. Plain data. */
export interface InterruptState {
	/** Numbers of handler objects by interrupt. */
	readonly handlers: readonly (readonly [irq: number, object: number])[];
	/** Those that wait for an acknowledgement. */
	readonly claimed: readonly number[];
}

/** See the file's head. */
export class InterruptController {
	readonly #plic: PlicRegisters;
	readonly #handlers = new Map<number, number>();
	readonly #claimed = new Set<number>();

	/** Throws an `Error` for a board without a PLIC where it should be. */
	constructor(bus: KernelBoard['bus']) {
		const window = bus.find(MemoryMap.plic.base, 4);
		if (!window) throw new Error(`there is no PLIC at 0x${MemoryMap.plic.base.toString(16)}`);
		this.#plic = window.device;
	}

	/** Prepares the PLIC: every interrupt has priority 1 and is masked. */
	initialise(): void {
		for (let irq = 1; irq <= LARGEST_IRQ; irq++) this.#plic.write(4 * irq, 4, 1);
		this.#plic.write(THRESHOLD, 4, 0);
		this.#mask();
	}

	get state(): InterruptState {
		return { handlers: [...this.#handlers], claimed: [...this.#claimed] };
	}

	restore({ handlers, claimed }: InterruptState): void {
		this.#handlers.clear();
		this.#claimed.clear();
		for (const [irq, object] of handlers) this.#handlers.set(irq, object);
		for (const irq of claimed) this.#claimed.add(irq);
	}

	/** Whether an interrupt has a handler. */
	isHandled(irq: number): boolean {
		return this.#handlers.has(irq);
	}

	/** Gives an interrupt a handler object. */
	handle(irq: number, object: number): void {
		this.#handlers.set(irq, object);
		this.#mask();
	}

	/** A handler object is gone: its interrupt is masked. */
	release(object: number): void {
		const irq = this.irqOf(object);
		if (irq === undefined) return;
		this.#handlers.delete(irq);
		this.acknowledge(irq);
	}

	/** The interrupt that a handler object is for. */
	irqOf(object: number): number | undefined {
		for (const [irq, handler] of this.#handlers) if (handler === object) return irq;
		return undefined;
	}

	/** Takes the most urgent interrupt that is pending. @returns its handler object; 0: nobody's; undefined: none is pending */
	claim(): number | undefined {
		const irq = this.#plic.read(CLAIM, 4);
		if (irq === 0) return undefined;
		this.#claimed.add(irq);
		return this.#handlers.get(irq) ?? 0;
	}

	/** Lets an interrupt through again. */
	acknowledge(irq: number): void {
		if (this.#claimed.delete(irq)) this.#plic.write(CLAIM, 4, irq);
		this.#mask();
	}

	/** Interrupts without a handler are masked. A claimed one is held back by the PLIC until it is completed. */
	#mask(): void {
		for (let word = 0; word <= LARGEST_IRQ >> 5; word++) {
			let bits = 0;
			for (const irq of this.#handlers.keys()) if (irq >> 5 === word) bits |= 1 << (irq & 31);
			this.#plic.write(ENABLE + 4 * word, 4, bits >>> 0);
		}
	}
}
