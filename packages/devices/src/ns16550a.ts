// ns16550a: the UART of QEMU's `virt` board (registers one byte apart, 3.6864 MHz clock).
// Source: National Semiconductor PC16550D data sheet (1995), section 8.
// Not here: the time that a byte takes on the wire (a transmitted byte is gone at once, received ones arrive as fast as
// the guest reads), parity and framing errors, DMA signals.
import { type ByteQueueState, checkByteQueue, emptyByteQueue, pushBytes, shiftByte } from './byte-queue.ts';
import {
	type AccessSize,
	type ConsoleSink,
	type InterruptLine,
	type MmioDevice,
	NO_CONSOLE,
	NO_LINE,
	type TimerPort,
} from './ports.ts';
import { StateCheck } from './state-error.ts';

/** Receiver buffer (read), transmitter holding (write); divisor latch low where LCR.DLAB is set. */
export const UART_RBR_THR_DLL = 0;
/** Interrupt enable; divisor latch high where LCR.DLAB is set. */
export const UART_IER_DLM = 1;
/** Interrupt identification (read), FIFO control (write). */
export const UART_IIR_FCR = 2;
/** Line control. */
export const UART_LCR = 3;
/** Modem control. */
export const UART_MCR = 4;
/** Line status. */
export const UART_LSR = 5;
/** Modem status. */
export const UART_MSR = 6;
/** Scratch. */
export const UART_SCR = 7;

const IER_RECEIVED = 0x01;
const IER_THR_EMPTY = 0x02;
const IER_LINE_STATUS = 0x04;
const IER_MODEM_STATUS = 0x08;

// IIR: the interrupts, by falling priority.
const IIR_LINE_STATUS = 0x06;
const IIR_RECEIVED = 0x04;
const IIR_TIMEOUT = 0x0c;
const IIR_THR_EMPTY = 0x02;
const IIR_MODEM_STATUS = 0x00;
const IIR_NONE = 0x01;
const IIR_FIFOS_ENABLED = 0xc0;

const FCR_ENABLE = 0x01;
const FCR_RESET_RECEIVER = 0x02;
const FCR_RESET_TRANSMITTER = 0x04;
const FCR_KEPT = 0xc9;
/** Bytes in the receiver FIFO at which its interrupt fires, by FCR bits 7:6. */
const TRIGGER_LEVELS = [1, 4, 8, 14] as const;

const LCR_DLAB = 0x80;
const MCR_KEPT = 0x1f;
const MCR_LOOP = 0x10;
const MCR_OUT2 = 0x08;

const LSR_DATA_READY = 0x01;
const LSR_OVERRUN = 0x02;
const LSR_ERRORS = 0x1e;
const LSR_TRANSMITTER_EMPTY = 0x60;

const MSR_CTS = 0x10;
const MSR_DSR = 0x20;
const MSR_RI = 0x40;
const MSR_DCD = 0x80;
const MSR_DELTAS = 0x0f;
/** A terminal that is always there: clear to send, data set ready, carrier. */
const MSR_CONNECTED = MSR_CTS | MSR_DSR | MSR_DCD;

const FIFO_DEPTH = 16;

/** Everything that an ns16550a remembers. */
export interface Ns16550aState {
	/** Interrupt enable register, 4 bits. */
	ier: number;
	/** FIFO control register: enable, mode and trigger bits. */
	fcr: number;
	/** Line control register. */
	lcr: number;
	/** Modem control register, 5 bits. */
	mcr: number;
	/** Line status errors that the guest has not read yet (the other bits follow from the FIFO). */
	lineErrors: number;
	/** Modem status register. */
	msr: number;
	/** Scratch register. */
	scr: number;
	/** Divisor latch, 16 bits; 16 × divisor clock periods make one bit time. */
	divisor: number;
	/** The transmitter-empty interrupt is pending. */
	thrPending: boolean;
	/** The character timeout interrupt is pending. */
	timeoutPending: boolean;
	/** When the character timeout comes, in virtual nanoseconds; -1: never. */
	timeoutAt: number;
	/** Received bytes that the guest can read: 16 with FIFOs enabled, 1 without. */
	fifo: ByteQueueState;
	/** Received bytes that wait for room in the FIFO. */
	input: ByteQueueState;
}

/** What an ns16550a is built from. */
export interface Ns16550aOptions {
	/** The interrupt line; none when left out. */
	readonly line?: InterruptLine;
	/** Where transmitted bytes go; nowhere when left out. */
	readonly console?: ConsoleSink;
	/** Virtual time in nanoseconds, for the character timeout. */
	readonly now: () => number;
	/** The event queue's slot for the character timeout; {@link Ns16550a.expire} must be called then. */
	readonly timer: TimerPort;
	/** Bytes of input that are kept while the guest is not reading; 4096 when left out. */
	readonly inputCapacity?: number;
	/** Told, with the room in bytes, when an input queue that refused bytes has room again. */
	readonly onRoom?: (room: number) => void;
	/** The UART's clock in hertz; 3,686,400 when left out. */
	readonly clockHertz?: number;
}

/**
 * A 16550A UART with FIFOs.
 *
 * Accesses of any size reach the one register at their offset, as on QEMU. In loopback, transmitted bytes come back and
 * the modem status follows the modem control bits, with their deltas.
 */
export class Ns16550a implements MmioDevice {
	/** The whole state; plain data, owned by this device. */
	readonly state: Ns16550aState;
	readonly #line: InterruptLine;
	readonly #console: ConsoleSink;
	readonly #now: () => number;
	readonly #timer: TimerPort;
	readonly #onRoom: (room: number) => void;
	readonly #clockHertz: number;
	/** Some input was refused since the queue last had room. */
	#refused = false;

	constructor(options: Ns16550aOptions) {
		this.#line = options.line ?? NO_LINE;
		this.#console = options.console ?? NO_CONSOLE;
		this.#now = options.now;
		this.#timer = options.timer;
		this.#onRoom = options.onRoom ?? (() => {});
		this.#clockHertz = options.clockHertz ?? 3_686_400;
		this.state = { ...RESET, fifo: emptyByteQueue(FIFO_DEPTH), input: emptyByteQueue(options.inputCapacity ?? 4096) };
	}

	/** Bytes of input that {@link Ns16550a.receive} would take now. */
	get room(): number {
		return this.state.input.bytes.length - this.state.input.count;
	}

	/**
	 * Input from outside. What does not fit is refused, not lost: keep it, and offer it again after `onRoom`.
	 * @returns how many bytes were taken, from the front.
	 */
	receive(bytes: Uint8Array): number {
		const taken = pushBytes(this.state.input, bytes);
		if (taken < bytes.length) this.#refused = true;
		this.#refill();
		this.#update();
		return taken;
	}

	/** Called when the deadline given to the timer port has come. Early calls do no harm. */
	expire(): void {
		const { state } = this;
		if (state.timeoutAt < 0 || this.#now() < state.timeoutAt) return;
		state.timeoutAt = -1;
		this.#timer.setDeadline(undefined);
		state.timeoutPending = state.fifo.count > 0;
		this.#update();
	}

	/** Reads the register at `offset` (0 to 7); others read 0. */
	read(offset: number, _size: AccessSize): number {
		const { state } = this;
		switch (offset) {
			case UART_RBR_THR_DLL:
				return state.lcr & LCR_DLAB ? state.divisor & 0xff : this.#readReceiver();
			case UART_IER_DLM:
				return state.lcr & LCR_DLAB ? state.divisor >>> 8 : state.ier;
			case UART_IIR_FCR:
				return this.#readIdentification();
			case UART_LCR:
				return state.lcr;
			case UART_MCR:
				return state.mcr;
			case UART_LSR: {
				const status = this.#lineStatus();
				if (state.lineErrors !== 0) {
					state.lineErrors = 0;
					this.#update();
				}
				return status;
			}
			case UART_MSR: {
				const status = state.msr;
				if (status & MSR_DELTAS) {
					state.msr &= ~MSR_DELTAS;
					this.#update();
				}
				return status;
			}
			case UART_SCR:
				return state.scr;
			default:
				return 0;
		}
	}

	/** Writes the low byte of `value` to the register at `offset` (0 to 7); others are ignored. */
	write(offset: number, _size: AccessSize, value: number): void {
		const { state } = this;
		const byte = value & 0xff;
		switch (offset) {
			case UART_RBR_THR_DLL:
				if (state.lcr & LCR_DLAB) {
					state.divisor = (state.divisor & 0xff00) | byte;
					return;
				}
				this.#transmit(byte);
				break;
			case UART_IER_DLM:
				if (state.lcr & LCR_DLAB) {
					state.divisor = (byte << 8) | (state.divisor & 0xff);
					return;
				}
				if (state.ier === (byte & 0x0f)) return;
				// Enabling the interrupt raises it: the transmitter is always empty.
				if (!(byte & IER_THR_EMPTY)) state.thrPending = false;
				else if (!(state.ier & IER_THR_EMPTY)) state.thrPending = true;
				state.ier = byte & 0x0f;
				break;
			case UART_IIR_FCR:
				this.#writeFifoControl(byte);
				break;
			case UART_LCR:
				state.lcr = byte;
				return;
			case UART_MCR:
				state.mcr = byte & MCR_KEPT;
				this.#setModemInputs();
				this.#refill();
				break;
			case UART_SCR:
				state.scr = byte;
				return;
			default:
				return;
		}
		this.#update();
	}

	/** Puts the registers to their reset values and empties the FIFO; input that waits outside stays. */
	reset(): void {
		Object.assign(this.state, RESET);
		this.state.fifo.head = 0;
		this.state.fifo.count = 0;
		this.#refill();
		this.#update();
	}

	/**
	 * Takes over a copy of a saved state, and drives the line and the timer.
	 * @throws StateError where it does not fit.
	 */
	restore(state: Ns16550aState): void {
		const check = new StateCheck('ns16550a', state);
		check.integer('ier', state.ier, 0x0f);
		for (const name of ['fcr', 'lcr', 'msr', 'scr'] as const) check.integer(name, state[name], 0xff);
		check.that((state.fcr & ~FCR_KEPT) === 0, 'fcr has bits that do not exist');
		check.integer('mcr', state.mcr, MCR_KEPT);
		check.integer('divisor', state.divisor, 0xffff);
		check.integer('lineErrors', state.lineErrors, LSR_ERRORS);
		check.boolean('thrPending', state.thrPending);
		check.boolean('timeoutPending', state.timeoutPending);
		if (state.timeoutAt !== -1) check.integer('timeoutAt', state.timeoutAt);
		checkByteQueue(check, 'fifo', state.fifo, FIFO_DEPTH);
		checkByteQueue(check, 'input', state.input, this.state.input.bytes.length);
		Object.assign(this.state, structuredClone(state));
		this.#timer.setDeadline(state.timeoutAt < 0 ? undefined : state.timeoutAt);
		this.#update();
	}

	#readReceiver(): number {
		const { state } = this;
		const byte = shiftByte(state.fifo);
		state.timeoutPending = false;
		this.#refill();
		if (byte >= 0) this.#restartTimeout();
		this.#update();
		return Math.max(byte, 0);
	}

	#readIdentification(): number {
		const pending = this.#pending();
		if (pending === IIR_THR_EMPTY) {
			this.state.thrPending = false;
			this.#update();
		}
		return this.state.fcr & FCR_ENABLE ? pending | IIR_FIFOS_ENABLED : pending;
	}

	#lineStatus(): number {
		const { state } = this;
		return LSR_TRANSMITTER_EMPTY | state.lineErrors | (state.fifo.count > 0 ? LSR_DATA_READY : 0);
	}

	#transmit(byte: number): void {
		const { state } = this;
		state.thrPending = true;
		if (!(state.mcr & MCR_LOOP)) {
			this.#console.write(byte);
			return;
		}
		if (state.fifo.count < this.#depth()) pushBytes(state.fifo, Uint8Array.of(byte));
		else state.lineErrors |= LSR_OVERRUN;
		this.#restartTimeout();
	}

	#writeFifoControl(byte: number): void {
		const { state } = this;
		const toggled = ((byte ^ state.fcr) & FCR_ENABLE) !== 0;
		if (toggled || byte & FCR_RESET_RECEIVER) {
			state.fifo.head = 0;
			state.fifo.count = 0;
			state.timeoutPending = false;
		}
		if (toggled || byte & FCR_RESET_TRANSMITTER) state.thrPending = true;
		// "Bit 0 must be a 1 when other FCR bits are written to or they will not be programmed."
		state.fcr = byte & FCR_ENABLE ? byte & FCR_KEPT : 0;
		this.#refill();
		this.#restartTimeout();
	}

	/** Modem status inputs: the terminal's, or in loopback the modem control outputs (DTR, RTS, OUT1, OUT2). */
	#setModemInputs(): void {
		const { state } = this;
		const { mcr } = state;
		const inputs = !(mcr & MCR_LOOP)
			? MSR_CONNECTED
			: (mcr & 2 ? MSR_CTS : 0) | (mcr & 1 ? MSR_DSR : 0) | (mcr & 4 ? MSR_RI : 0) | (mcr & 8 ? MSR_DCD : 0);
		let deltas = ((inputs ^ state.msr) >>> 4) & 0x0b;
		// The ring indicator's delta marks its end only.
		if (state.msr & ~inputs & MSR_RI) deltas |= 0x04;
		state.msr = inputs | (state.msr & MSR_DELTAS) | deltas;
	}

	/** Moves waiting input into the FIFO. In loopback the receiver is cut off from the outside. */
	#refill(): void {
		const { state } = this;
		if (state.mcr & MCR_LOOP || state.input.count === 0 || state.fifo.count >= this.#depth()) return;
		while (state.input.count > 0 && state.fifo.count < this.#depth())
			pushBytes(state.fifo, Uint8Array.of(shiftByte(state.input)));
		this.#restartTimeout();
		if (!this.#refused) return;
		this.#refused = false;
		this.#onRoom(this.room);
	}

	/** Four character times without a byte coming or going, while some wait, raise the timeout interrupt. */
	#restartTimeout(): void {
		const { state } = this;
		const wanted = (state.fcr & FCR_ENABLE) !== 0 && state.fifo.count > 0 && !state.timeoutPending;
		if (!wanted && state.timeoutAt < 0) return;
		state.timeoutAt = wanted ? this.#now() + 4 * this.#characterNanos() : -1;
		this.#timer.setDeadline(wanted ? state.timeoutAt : undefined);
	}

	/** The time that one character takes: start bit, data bits, parity, stop bits. */
	#characterNanos(): number {
		const { lcr, divisor } = this.state;
		const bits = 1 + (5 + (lcr & 3)) + (lcr & 0x08 ? 1 : 0) + (lcr & 0x04 ? 2 : 1);
		return Math.ceil((bits * 16 * Math.max(divisor, 1) * 1e9) / this.#clockHertz);
	}

	#depth(): number {
		return this.state.fcr & FCR_ENABLE ? FIFO_DEPTH : 1;
	}

	/** The pending interrupt of the highest priority, as IIR shows it. */
	#pending(): number {
		const { state } = this;
		if (state.ier & IER_LINE_STATUS && state.lineErrors !== 0) return IIR_LINE_STATUS;
		if (state.ier & IER_RECEIVED) {
			const trigger = state.fcr & FCR_ENABLE ? TRIGGER_LEVELS[state.fcr >>> 6] : 1;
			if (state.fifo.count >= trigger) return IIR_RECEIVED;
			if (state.timeoutPending) return IIR_TIMEOUT;
		}
		if (state.ier & IER_THR_EMPTY && state.thrPending) return IIR_THR_EMPTY;
		if (state.ier & IER_MODEM_STATUS && state.msr & MSR_DELTAS) return IIR_MODEM_STATUS;
		return IIR_NONE;
	}

	/** At each event, and only then: an edge-triggered interrupt controller takes every assertion for one. */
	#update(): void {
		this.#line.set(this.#pending() !== IIR_NONE);
	}
}

/** Reset values, as QEMU 7.2 has them. */
const RESET = {
	ier: 0,
	fcr: 0,
	lcr: 0,
	mcr: MCR_OUT2,
	lineErrors: 0,
	msr: MSR_CONNECTED,
	scr: 0,
	divisor: 12,
	thrPending: false,
	timeoutPending: false,
	timeoutAt: -1,
} as const satisfies Partial<Ns16550aState>;
