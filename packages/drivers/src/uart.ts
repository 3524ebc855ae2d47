/**
 * A driver of an ns16550a with FIFOs: its registers, one byte apart. National Semiconductor PC16550D data sheet (1995),
 * section 8. Not here: who its bytes come from and go to (console-server.ts), and the line's rate, which the firmware has set.
 */
import type { DriverEnvironment } from './environment.ts';

/** Receiver buffer (read), transmitter holding (write). */
const RBR_THR = 0;
const IER = 1;
/** FIFO control (write). */
const FCR = 2;
const LCR = 3;
const MCR = 4;
const LSR = 5;

const IER_RECEIVED = 0x01;
const IER_THR_EMPTY = 0x02;
const FCR_ENABLE_AND_RESET = 0x07;
const LCR_8N1 = 0x03;
/** DTR, RTS, and OUT2, which lets the interrupt out. */
const MCR_READY = 0x0b;
const LSR_DATA_READY = 0x01;
const LSR_THR_EMPTY = 0x20;
/** Bytes that the transmitter takes when it is empty. */
const FIFO_DEPTH = 16;

/** Plain state of a {@link Uart}. */
export interface UartState {
	/** It interrupts for received bytes. */
	receiving: boolean;
	/** It interrupts when the transmitter is empty. */
	transmitting: boolean;
}

/** The driver of one UART. */
export class Uart {
	readonly #environment: DriverEnvironment;
	readonly #address: number;
	#state: UartState = { receiving: false, transmitting: false };

	/** @param address - of its registers, in the driver's address space */
	constructor(environment: DriverEnvironment, address: number) {
		this.#environment = environment;
		this.#address = address;
	}

	/** A copy. */
	get state(): UartState {
		return { ...this.#state };
	}

	/** Takes a saved state; the device has its own. */
	restore({ receiving, transmitting }: UartState): void {
		if (typeof receiving !== 'boolean' || typeof transmitting !== 'boolean')
			throw new RangeError('UART driver: the state is damaged');
		this.#state = { receiving, transmitting };
	}

	/** Sets the device up, with empty FIFOs; it interrupts for received bytes from now on. */
	init(): void {
		this.#store(IER, 0);
		this.#store(LCR, LCR_8N1);
		this.#store(FCR, FCR_ENABLE_AND_RESET);
		this.#store(MCR, MCR_READY);
		this.#state = { receiving: true, transmitting: false };
		this.#setInterrupts();
	}

	/** How many bytes the transmitter takes now: 0 or 16. */
	get room(): number {
		return this.#load(LSR) & LSR_THR_EMPTY ? FIFO_DEPTH : 0;
	}

	/** Sends a byte, for which there is {@link room}. */
	send(byte: number): void {
		this.#store(RBR_THR, byte);
	}

	/** The next received byte; -1: there is none. */
	receive(): number {
		return this.#load(LSR) & LSR_DATA_READY ? this.#load(RBR_THR) : -1;
	}

	/** Whether received bytes interrupt: not while nobody has room for them. */
	set receiving(receiving: boolean) {
		if (receiving === this.#state.receiving) return;
		this.#state.receiving = receiving;
		this.#setInterrupts();
	}

	/** Whether input is taken. */
	get receiving(): boolean {
		return this.#state.receiving;
	}

	/** Whether an empty transmitter interrupts: only while there is more to send. */
	set transmitting(transmitting: boolean) {
		if (transmitting === this.#state.transmitting) return;
		this.#state.transmitting = transmitting;
		this.#setInterrupts();
	}

	#setInterrupts(): void {
		const { receiving, transmitting } = this.#state;
		this.#store(IER, (receiving ? IER_RECEIVED : 0) | (transmitting ? IER_THR_EMPTY : 0));
	}

	/** A device that is not there reads as none: nothing is received, and nothing can be sent. */
	#load(register: number): number {
		return this.#environment.load(this.#address + register, 1) ?? 0;
	}

	#store(register: number, value: number): void {
		this.#environment.store(this.#address + register, 1, value);
	}
}
