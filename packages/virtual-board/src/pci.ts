/**
 * A PCI host with one function on bus 0: its configuration space, in a window as ECAM lays it out. PCI Local Bus 3.0, section 6
 * (type 0 header); PCI Express Base, "Enhanced Configuration Access Mechanism". What is behind the base address registers lies
 * where the board has put it; they can be sized, but not moved: the devicetree says `linux,pci-probe-only`.
 */
import type { InterruptLine, VirtualDevice } from '@partita/vmm';

/** Number of the function's device on the bus. */
export const PCI_DEVICE = 1;
const COMMAND = 0x04;
const BAR = 0x10;
const INTERRUPT_LINE = 0x3c;
const INTERRUPT_PIN = 0x3d;
const COMMAND_INTX_DISABLE = 0x400;
/** Memory space, bus master, INTx disable: what can be written of the command register. */
const COMMAND_WRITABLE = COMMAND_INTX_DISABLE | 0x6;
const STATUS_INTERRUPT = 0x08;

/** A base address register for memory of 32 bits. */
export interface PciBar {
	readonly base: number;
	/** A power of two, at least 16. */
	readonly size: number;
}

/** What a function is. */
export interface PciIdentity {
	readonly vendor: number;
	readonly device: number;
	readonly subsystemVendor: number;
	readonly subsystem: number;
	/** Class code: base class, subclass, programming interface. */
	readonly classCode: number;
	readonly revision: number;
	/** By number; those between have nothing behind them. */
	readonly bars: Readonly<Record<number, PciBar>>;
}

/** Plain state of a {@link PciHost}. */
export interface PciHostState {
	readonly command: number;
	readonly interruptLine: number;
	/** As last written. */
	readonly bars: readonly number[];
	/** The function asserts INTA. */
	readonly asserted: boolean;
}

/** The host, seen through its ECAM window. */
export class PciHost implements VirtualDevice {
	readonly #line: InterruptLine;
	readonly #identity: PciIdentity;
	readonly #bars: number[];
	#command = 0x2;
	#interruptLine = 0;
	#asserted = false;

	/** @param line - INTA */
	constructor(identity: PciIdentity, line: InterruptLine) {
		this.#identity = identity;
		this.#line = line;
		this.#bars = Array.from({ length: 6 }, (_, bar) => identity.bars[bar]?.base ?? 0);
	}

	/** A copy. */
	get state(): PciHostState {
		return {
			command: this.#command,
			interruptLine: this.#interruptLine,
			bars: [...this.#bars],
			asserted: this.#asserted,
		};
	}

	/** Takes a saved state, and drives the line. Throws `RangeError` where it is damaged. */
	restore({ command, interruptLine, bars, asserted }: PciHostState): void {
		if (!Array.isArray(bars) || bars.length !== 6) throw new RangeError('PCI host: the state is damaged');
		this.#command = command & COMMAND_WRITABLE;
		this.#interruptLine = interruptLine & 0xff;
		this.#bars.splice(0, 6, ...bars.map((bar: number) => bar >>> 0));
		this.interrupt(asserted === true);
	}

	/** The function asserts INTA, or no longer does. */
	interrupt(asserted: boolean): void {
		this.#asserted = asserted;
		this.#line.set(asserted && (this.#command & COMMAND_INTX_DISABLE) === 0);
	}

	/** Configuration space: all ones where there is no function. */
	read(offset: number, size: 1 | 2 | 4): number {
		const register = this.#register(offset);
		if (register === undefined) return size === 4 ? 0xffff_ffff : 2 ** (size * 8) - 1;
		const word = this.#word(register & ~3) >>> ((register & 3) * 8);
		return size === 4 ? word >>> 0 : word & (2 ** (size * 8) - 1);
	}

	/** What can be written: command, base address registers in accesses of 4 bytes, interrupt line. */
	write(offset: number, size: 1 | 2 | 4, value: number): void {
		const register = this.#register(offset);
		if (register === undefined) return;
		if (register === COMMAND && size > 1) {
			this.#command = value & COMMAND_WRITABLE;
			this.interrupt(this.#asserted);
		} else if (register === INTERRUPT_LINE) this.#interruptLine = value & 0xff;
		else if (size === 4 && register >= BAR && register < BAR + 24) {
			const number = (register - BAR) >> 2;
			const bar = this.#identity.bars[number];
			if (bar) this.#bars[number] = (value & ~(bar.size - 1)) >>> 0;
		}
	}

	/** Offset in the function's configuration space; undefined: another function's. */
	#register(offset: number): number | undefined {
		return offset >>> 12 === PCI_DEVICE << 3 ? offset & 0xfff : undefined;
	}

	#word(register: number): number {
		const { vendor, device, classCode, revision, subsystem, subsystemVendor } = this.#identity;
		if (register >= BAR && register < BAR + 24) return this.#bars[(register - BAR) >> 2]!;
		switch (register) {
			case 0:
				return (device << 16) | vendor;
			case COMMAND:
				return (this.#asserted ? STATUS_INTERRUPT << 16 : 0) | this.#command;
			case 0x08:
				return (classCode << 8) | revision;
			case 0x2c:
				return (subsystem << 16) | subsystemVendor;
			case INTERRUPT_LINE & ~3:
				return (1 << ((INTERRUPT_PIN & 3) * 8)) | this.#interruptLine;
			default:
				// Header type 0, one function; no capabilities.
				return 0;
		}
	}
}
