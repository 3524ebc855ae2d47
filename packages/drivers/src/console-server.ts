/**
 * One terminal for several clients, over a UART: what each prints is shown in lines of its own, under its name where there
 * are several; what is typed goes to one of them. `Ctrl-\` and a digit select which one, by its place; `Ctrl-\ Tab` the
 * next; `Ctrl-\` twice is that character.
 *
 * Its bounds are its clients': what it has no room for stays with them (output), or in the UART (input). Clients are told by a
 * signal when input has come, and when there is room again for output that was refused.
 */
import { type ByteRing, emptyRing, isRing, push, shift, shiftMany } from './byte-ring.ts';
import { bytesMessage, CONSOLE_BYTES, ConsoleAnswer, ConsoleRequest, messageBytes } from './console-protocol.ts';
import type { DriverEnvironment, Message } from './environment.ts';
import { Uart, type UartState } from './uart.ts';

/** A client as the server is told of it. */
export interface ConsoleClient {
	/** Shown before its lines. */
	readonly name: string;
	/** The badge of its messages. */
	readonly badge: bigint;
	/** Slot of the notification that tells it of input and room; none: it asks. */
	readonly notification?: number;
}

/** What a {@link ConsoleServer} is told at its making. */
export interface ConsoleServerOptions {
	/** Address of the UART's registers in the server's address space. */
	readonly uart: number;
	/** Slot of the UART's interrupt handler. */
	readonly interrupt: number;
	/** Badge of the interrupt's signals: a bit of its own. */
	readonly interruptBadge: bigint;
	/** The first gets what is typed at first. */
	readonly clients: readonly ConsoleClient[];
	/** Bytes that are kept for each client, in each direction; default 4096. */
	readonly capacity?: number;
}

/** A client, with what waits for it and from it. */
export interface ConsoleClientState extends ConsoleClient {
	readonly output: ByteRing;
	readonly input: ByteRing;
	/** Output was refused since. */
	refused: boolean;
}

/** Plain state of a {@link ConsoleServer}. */
export interface ConsoleServerState {
	readonly uart: UartState;
	readonly clients: readonly ConsoleClientState[];
	/** Badge of who gets what is typed. */
	readonly focus: bigint | undefined;
	/** `Ctrl-\` was typed. */
	readonly escaped: boolean;
	/** Badge of whose line is on the terminal, unfinished. */
	readonly line: bigint | undefined;
	/** The server's own bytes that are to be sent before any other. */
	readonly own: readonly number[];
}

/** Estimates of the server's own computing, in nanoseconds: a message or interrupt dispatched; a byte moved. */
const EVENT_NANOS = 60;
const BYTE_NANOS = 4;
const DEFAULT_CAPACITY = 4096;
const ESCAPE = 0x1c;
const TAB = 0x09;
const NEWLINE = 0x0a;
const DIGIT_0 = 0x30;
const MOST_NAME = 32;

/** The server. */
export class ConsoleServer {
	readonly #environment: DriverEnvironment;
	readonly #options: ConsoleServerOptions;
	readonly #uart: Uart;
	readonly #capacity: number;
	#clients: ConsoleClientState[] = [];
	#focus: bigint | undefined;
	#escaped = false;
	#line: bigint | undefined;
	#own: number[] = [];

	/** Throws a `RangeError` for clients that cannot be. */
	constructor(options: ConsoleServerOptions, environment: DriverEnvironment) {
		this.#environment = environment;
		this.#options = options;
		this.#capacity = options.capacity ?? DEFAULT_CAPACITY;
		if (!Number.isSafeInteger(this.#capacity) || this.#capacity < 1)
			throw new RangeError(`console: a capacity of ${this.#capacity} bytes`);
		this.#uart = new Uart(environment, options.uart);
		for (const client of options.clients) this.addClient(client);
	}

	/** A copy. */
	get state(): ConsoleServerState {
		return structuredClone({
			uart: this.#uart.state,
			clients: this.#clients,
			focus: this.#focus,
			escaped: this.#escaped,
			line: this.#line,
			own: this.#own,
		});
	}

	/** Takes over a copy of a saved state. Throws a `RangeError` where it is damaged. */
	restore(state: ConsoleServerState): void {
		const { clients, focus, escaped, line, own, uart } = structuredClone(state);
		for (const { name, input, output } of clients) {
			if (!isRing(input, this.#capacity) || !isRing(output, this.#capacity))
				throw new RangeError(`console: the state of client ${name} is damaged`);
		}
		this.#uart.restore(uart);
		this.#clients = [...clients];
		this.#focus = focus;
		this.#escaped = escaped === true;
		this.#line = line;
		this.#own = own.map((byte) => byte & 0xff);
	}

	/** Sets the UART up. */
	init(): void {
		this.#uart.init();
		this.#environment.acknowledge(this.#options.interrupt);
	}

	/** The UART has interrupted. */
	notified(badges: bigint): void {
		if ((badges & this.#options.interruptBadge) === 0n) return;
		this.#environment.work(EVENT_NANOS);
		this.#receive();
		this.#transmit();
		this.#environment.acknowledge(this.#options.interrupt);
	}

	/** A client's request; see console-protocol.ts. */
	protected(badge: bigint, message: Message): Message {
		this.#environment.work(EVENT_NANOS);
		const client = this.#client(badge);
		if (client && message.label === ConsoleRequest.write) {
			const bytes = messageBytes(message);
			if (bytes) return { label: ConsoleAnswer.done, words: [BigInt(this.#write(client, bytes))] };
		} else if (client && message.label === ConsoleRequest.read && message.words[0] !== undefined) {
			const most = Math.min(Number(message.words[0]), CONSOLE_BYTES);
			return bytesMessage(ConsoleAnswer.done, this.#read(client, most));
		}
		return { label: ConsoleAnswer.refused, words: [] };
	}

	/** Makes room for a client. Throws a `RangeError` where its badge is taken, or its name unfit. */
	addClient(client: ConsoleClient): void {
		const { name, badge } = client;
		if (name === '' || name.length > MOST_NAME || !/^[\x20-\x7e]*$/.test(name))
			throw new RangeError(`console: client name ${JSON.stringify(name)}: 1 to ${MOST_NAME} printable characters`);
		if (this.#client(badge)) throw new RangeError(`console: badge ${badge} of client ${name} is taken`);
		this.#clients.push({
			...client,
			output: emptyRing(this.#capacity),
			input: emptyRing(this.#capacity),
			refused: false,
		});
		this.#focus ??= badge;
	}

	/** Forgets a client, and what it has not printed yet. */
	removeClient(badge: bigint): void {
		this.#clients = this.#clients.filter((client) => client.badge !== badge);
		if (this.#focus === badge) this.#focus = this.#clients[0]?.badge;
		this.#receive();
	}

	#client(badge: bigint): ConsoleClientState | undefined {
		return this.#clients.find((client) => client.badge === badge);
	}

	#write(client: ConsoleClientState, bytes: Uint8Array): number {
		let taken = 0;
		// Sending makes room: what the transmitter takes at once needs none here.
		for (;;) {
			const pushed = push(client.output, bytes.subarray(taken));
			taken += pushed;
			this.#transmit();
			if (taken === bytes.length || pushed === 0) break;
		}
		this.#environment.work(taken * BYTE_NANOS);
		client.refused = taken < bytes.length;
		return taken;
	}

	#read(client: ConsoleClientState, most: number): Uint8Array {
		const bytes = shiftMany(client.input, most);
		this.#environment.work(bytes.length * BYTE_NANOS);
		// There is room again: the UART may hold more.
		if (bytes.length > 0 && !this.#uart.receiving) this.#receive();
		return bytes;
	}

	/** Sends what waits, as much as the transmitter takes. */
	#transmit(): void {
		let room = 0;
		for (;;) {
			const client = this.#own.length > 0 ? undefined : this.#nextWriter();
			if (this.#own.length === 0 && !client) break;
			if (room === 0) room = this.#uart.room;
			if (room === 0) break;
			if (client && this.#line !== client.badge) {
				this.#beginLine(client);
				continue;
			}
			const byte = client ? shift(client.output) : this.#own.shift()!;
			this.#uart.send(byte);
			room--;
			if (client && byte === NEWLINE) this.#line = undefined;
		}
		this.#uart.transmitting = this.#own.length > 0 || this.#clients.some(({ output }) => output.count > 0);
		for (const client of this.#clients) {
			if (!client.refused || client.output.count === this.#capacity) continue;
			client.refused = false;
			this.#notify(client);
		}
	}

	/** Who has something to print: whose line it is, else whoever comes after it. */
	#nextWriter(): ConsoleClientState | undefined {
		const line = this.#line === undefined ? undefined : this.#client(this.#line);
		if (line && line.output.count > 0) return line;
		return this.#clients.find(({ output }) => output.count > 0);
	}

	#beginLine(client: ConsoleClientState): void {
		if (this.#line !== undefined) this.#own.push(NEWLINE);
		if (this.#clients.length > 1) this.#own.push(...ascii(`${client.name}| `));
		this.#line = client.badge;
	}

	/** Takes what the UART has received, until whoever it is for has no more room. */
	#receive(): void {
		const told = new Set<ConsoleClientState>();
		for (;;) {
			const client = this.#focus === undefined ? undefined : this.#client(this.#focus);
			const room = client !== undefined && client.input.count < this.#capacity;
			this.#uart.receiving = room;
			if (!room) break;
			const byte = this.#uart.receive();
			if (byte < 0) break;
			this.#environment.work(BYTE_NANOS);
			if (!this.#isForClient(byte)) continue;
			push(client.input, Uint8Array.of(byte));
			told.add(client);
		}
		for (const client of told) this.#notify(client);
	}

	/** Whether a typed byte is for a client; else the server has dealt with it. */
	#isForClient(byte: number): boolean {
		if (!this.#escaped) {
			this.#escaped = byte === ESCAPE;
			return !this.#escaped;
		}
		this.#escaped = false;
		if (byte === ESCAPE) return true;
		const place =
			byte === TAB
				? (this.#clients.findIndex(({ badge }) => badge === this.#focus) + 1) % this.#clients.length
				: byte - DIGIT_0;
		const chosen = this.#clients[place];
		if (!chosen) return false;
		this.#focus = chosen.badge;
		if (this.#line !== undefined) this.#own.push(NEWLINE);
		this.#line = undefined;
		this.#own.push(...ascii(`[console: input goes to ${chosen.name}]\n`));
		this.#transmit();
		return false;
	}

	#notify({ notification }: ConsoleClientState): void {
		if (notification !== undefined) this.#environment.notify(notification);
	}
}

function ascii(text: string): number[] {
	return Array.from(text, (character) => character.charCodeAt(0));
}
