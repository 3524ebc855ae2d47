// A UART of @partita/devices behind a driver's environment: what is printed is kept, what is typed arrives.
import { Ns16550a } from '@partita/devices';
import type { DriverEnvironment } from '../../src/index.ts';

export const UART = 0x1000;

export class Terminal {
	printed = '';
	interrupt = false;
	nanos = 0;
	readonly signals: number[] = [];
	acknowledged = 0;
	/** While set, the transmitter reports that it is not empty. */
	stalled = false;
	readonly uart: Ns16550a = new Ns16550a({
		now: () => 0,
		timer: { setDeadline: () => {} },
		line: {
			set: (level) => {
				this.interrupt = level;
			},
		},
		console: {
			write: (byte) => {
				this.printed += String.fromCharCode(byte);
			},
		},
	});
	readonly environment: DriverEnvironment = {
		work: (nanos) => {
			this.nanos += nanos;
		},
		notify: (slot) => this.signals.push(slot),
		acknowledge: () => {
			this.acknowledged++;
		},
		load: (address, size) => {
			const value = this.uart.read(address - UART, size);
			return address === UART + 5 && this.stalled ? value & ~0x60 : value;
		},
		store: (address, size, value) => {
			this.uart.write(address - UART, size, value);
			return true;
		},
	};

	/** Types on it. @returns how much the UART took */
	type(text: string): number {
		return this.uart.receive(new TextEncoder().encode(text));
	}

	/** What was printed since it was last asked. */
	take(): string {
		const { printed } = this;
		this.printed = '';
		return printed;
	}
}
