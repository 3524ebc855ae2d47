// The test finisher of SiFive's and QEMU's boards (`sifive,test0`, also `syscon`): one register that ends or resets the
// machine. Source: QEMU 7.2's behaviour; the device tree names it `sifive,test1`, `sifive,test0`, `syscon`.
import type { AccessSize, MmioDevice } from './ports.ts';
import { StateCheck } from './state-error.ts';

/** Low half of a value that ends the machine with success. */
export const FINISHER_PASS = 0x5555;
/** Low half of a value that ends the machine with the code in the high half. */
export const FINISHER_FAIL = 0x3333;
/** Low half of a value that resets the machine. */
export const FINISHER_RESET = 0x7777;

/** What the guest asked for. */
export interface FinisherPort {
	/** The guest ended the machine: code 0 for success, else what it reported (0 to 65535). */
	exit(code: number): void;
	/** The guest asked for a reset. */
	reset(): void;
}

/** What a finisher remembers: the last request, for reports; `none` until there is one. */
export interface FinisherState {
	/** Which request. */
	request: 'none' | 'exit' | 'reset';
	/** The exit code, 0 for the other requests. */
	code: number;
}

/** The test finisher. Takes accesses of 2 or 4 bytes at offset 0; reads as 0. */
export class Finisher implements MmioDevice {
	/** The whole state; plain data, owned by this device. */
	readonly state: FinisherState = { request: 'none', code: 0 };
	readonly #port: FinisherPort;

	constructor(port: FinisherPort) {
		this.#port = port;
	}

	/** There is nothing to read. */
	read(_offset: number, _size: AccessSize): number {
		return 0;
	}

	/** Hands a request to the port; other values are ignored. */
	write(offset: number, size: AccessSize, value: number): void {
		if (offset !== 0 || size === 1) return;
		switch (value & 0xffff) {
			case FINISHER_PASS:
				this.#exit(0);
				break;
			case FINISHER_FAIL:
				this.#exit(value >>> 16);
				break;
			case FINISHER_RESET:
				this.state.request = 'reset';
				this.state.code = 0;
				this.#port.reset();
				break;
		}
	}

	/**
	 * Takes over a copy of a saved state. Does not repeat the request.
	 * @throws StateError where it does not fit.
	 */
	restore(state: FinisherState): void {
		const check = new StateCheck('finisher', state);
		check.that(['none', 'exit', 'reset'].includes(state.request), 'request must be none, exit or reset');
		check.integer('code', state.code, 0xffff);
		this.state.request = state.request;
		this.state.code = state.code;
	}

	#exit(code: number): void {
		this.state.request = 'exit';
		this.state.code = code;
		this.#port.exit(code);
	}
}
