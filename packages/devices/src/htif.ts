// HTIF: the host-target interface of Spike and riscv-tests: two 64-bit words of guest RAM, `tohost` and `fromhost`.
// A command is device << 56 | command << 48 | payload. Source: riscv-isa-sim's fesvr behaviour, riscv-tests' syscalls.c.
// Not here: block devices, `identify`, system calls other than write and exit. Nor how a store to `tohost` is noticed:
// the board calls poll().
import { type ByteQueueState, checkByteQueue, emptyByteQueue, pushBytes, shiftByte } from './byte-queue.ts';
import { type DeviceObserver, NO_OBSERVER } from './observer.ts';
import { type ConsoleSink, type GuestMemory, NO_CONSOLE } from './ports.ts';
import { StateCheck } from './state-error.ts';

const DEVICE_SYSCALL = 0;
const DEVICE_CONSOLE = 1;
const CONSOLE_GETCHAR = 0;
const CONSOLE_PUTCHAR = 1;
/** A character in a getchar response carries this bit. */
const CHARACTER_VALID = 0x100n;

/** System call numbers of newlib for RISC-V. */
const SYS_WRITE = 64n;
const SYS_EXIT = 93n;
/** Linux error numbers, as the proxy kernel returns them. */
const EBADF = 9n;
const EFAULT = 14n;
const ENOSYS = 38n;

const U64 = (1n << 64n) - 1n;
const PAYLOAD = (1n << 48n) - 1n;
/** Bytes that one write system call prints at most; it returns how many it took, as POSIX allows. */
const WRITE_LIMIT = 65_536;
/** Answers and getchar requests that wait at most; a guest that asks for more gets none. */
const WAITING_LIMIT = 16;

/** What the guest asked for. */
export interface HtifPort {
	/** The guest ended: 0 for success, else the code it reported (up to 47 bits). */
	exit(code: number): void;
}

/** Everything that an HTIF remembers; the words themselves are in RAM. */
export interface HtifState {
	/** Answers that wait until the guest has cleared `fromhost`, the oldest first. */
	responses: bigint[];
	/** getchar requests that wait for input. */
	reads: number;
	/** Input that no getchar asked for yet. */
	input: ByteQueueState;
}

/** What an HTIF is built from. */
export interface HtifOptions {
	/** The guest's RAM. */
	readonly memory: GuestMemory;
	/** Address of the 64-bit `tohost` word. */
	readonly tohost: number;
	/** Address of the 64-bit `fromhost` word; without it, nothing is answered. */
	readonly fromhost?: number;
	/** Told when the guest ends. */
	readonly port: HtifPort;
	/** Where the guest prints; nowhere when left out. */
	readonly console?: ConsoleSink;
	/** Bytes of input that are kept while the guest does not ask; 4096 when left out. */
	readonly inputCapacity?: number;
	/** Told of commands that make no sense. */
	readonly observer?: DeviceObserver;
}

/** The host-target interface. */
export class Htif {
	/** The whole state; plain data, owned by this device. */
	readonly state: HtifState;
	readonly #options: HtifOptions;
	readonly #console: ConsoleSink;
	readonly #observer: DeviceObserver;
	readonly #word = new Uint8Array(8);
	readonly #view = new DataView(this.#word.buffer);

	constructor(options: HtifOptions) {
		this.#options = options;
		this.#console = options.console ?? NO_CONSOLE;
		this.#observer = options.observer ?? NO_OBSERVER;
		this.state = { responses: [], reads: 0, input: emptyByteQueue(options.inputCapacity ?? 4096) };
	}

	/** Bytes of input that {@link Htif.receive} would take now. */
	get room(): number {
		return this.state.input.bytes.length - this.state.input.count;
	}

	/** Input from outside; says how many bytes were taken, from the front. */
	receive(bytes: Uint8Array): number {
		const taken = pushBytes(this.state.input, bytes);
		this.poll();
		return taken;
	}

	/** Looks at `tohost` and does what it asks. To be called after the guest stored to it (or now and then). */
	poll(): void {
		const command = this.#load(this.#options.tohost);
		if (command !== undefined && command !== 0n) {
			this.#store(this.#options.tohost, 0n);
			this.#execute(command);
		}
		this.#answer();
	}

	/**
	 * Takes over a copy of a saved state. The words in RAM are restored with the RAM.
	 * @throws StateError where it does not fit.
	 */
	restore(state: HtifState): void {
		const check = new StateCheck('htif', state);
		check.list('responses', state.responses, WAITING_LIMIT);
		for (const response of state.responses) check.unsigned64('responses', response);
		check.integer('reads', state.reads, WAITING_LIMIT);
		checkByteQueue(check, 'input', state.input, this.state.input.bytes.length);
		Object.assign(this.state, structuredClone(state));
	}

	#execute(command: bigint): void {
		const device = Number(command >> 56n);
		const code = Number((command >> 48n) & 0xffn);
		const payload = command & PAYLOAD;
		if (device === DEVICE_SYSCALL && code === 0) {
			if (payload & 1n) this.#options.port.exit(Number(payload >> 1n));
			else this.#systemCall(Number(payload));
		} else if (device === DEVICE_CONSOLE && code === CONSOLE_PUTCHAR) this.#console.write(Number(payload & 0xffn));
		else if (device === DEVICE_CONSOLE && code === CONSOLE_GETCHAR) {
			if (this.state.reads < WAITING_LIMIT) this.state.reads++;
		} else this.#complain(`there is no device ${device} command ${code}`);
	}

	/** A system call: eight words in RAM, the number first, then its arguments; the result replaces the number. */
	#systemCall(magic: number): void {
		const words = new Uint8Array(64);
		if (!this.#options.memory.read(magic, words)) {
			this.#complain(`a system call block at 0x${magic.toString(16)} is outside RAM`);
			return;
		}
		const view = new DataView(words.buffer);
		const [call, first, second, third] = [0, 8, 16, 24].map((offset) => view.getBigUint64(offset, true));
		if (call === SYS_EXIT) {
			this.#options.port.exit(Number(first & 0x7fffffffn));
			return;
		}
		this.#store(magic, call === SYS_WRITE ? this.#write(first, second, third) : -ENOSYS & U64);
		this.#respond(1n);
	}

	/** write(fd, buffer, length): standard output and standard error are the console. */
	#write(file: bigint, buffer: bigint, length: bigint): bigint {
		if (file !== 1n && file !== 2n) return -EBADF & U64;
		if (buffer >= 1n << 53n) return -EFAULT & U64;
		const bytes = new Uint8Array(length > BigInt(WRITE_LIMIT) ? WRITE_LIMIT : Number(length));
		if (!this.#options.memory.read(Number(buffer), bytes)) return -EFAULT & U64;
		for (const byte of bytes) this.#console.write(byte);
		return BigInt(bytes.length);
	}

	#respond(response: bigint): void {
		if (this.state.responses.length < WAITING_LIMIT) this.state.responses.push(response);
		else this.#complain('the guest does not take its answers');
	}

	#answer(): void {
		const { state } = this;
		const { fromhost } = this.#options;
		if (fromhost === undefined) {
			state.responses.length = 0;
			return;
		}
		while (state.reads > 0 && state.input.count > 0 && state.responses.length < WAITING_LIMIT) {
			state.reads--;
			state.responses.push((BigInt(DEVICE_CONSOLE) << 56n) | CHARACTER_VALID | BigInt(shiftByte(state.input)));
		}
		if (state.responses.length === 0 || this.#load(fromhost) !== 0n) return;
		this.#store(fromhost, state.responses[0]);
		state.responses.shift();
	}

	#load(address: number): bigint | undefined {
		return this.#options.memory.read(address, this.#word) ? this.#view.getBigUint64(0, true) : undefined;
	}

	#store(address: number, value: bigint): void {
		this.#view.setBigUint64(0, value, true);
		if (!this.#options.memory.write(address, this.#word)) this.#complain(`0x${address.toString(16)} is outside RAM`);
	}

	#complain(reason: string): void {
		this.#observer.report({ kind: 'guest-error', device: 'htif', reason });
	}
}
