/**
 * A console server that is linked into a kernel: a call is a call. For `ConsoleConfig.create` of `@partita/hypervisor`.
 */
import { bytesMessage, CONSOLE_BYTES, ConsoleRequest, messageBytes } from './console-protocol.ts';
import { ConsoleServer, type ConsoleServerState } from './console-server.ts';

/** What the kernel gives it. */
export interface LinkedConsoleEnvironment {
	/** The UART's registers; accesses take time. */
	readonly mmio: {
		/** Reads a register. */
		read(offset: number, size: 1 | 2 | 4): number;
		/** Writes one. */
		write(offset: number, size: 1 | 2 | 4, value: number): void;
	};
	/** It has computed for so many nanoseconds. */
	work(nanos: number): void;
	/** Input for a client. @returns how many bytes it took, from the front */
	deliver(client: number, bytes: Uint8Array): number;
}

/** Plain state of a {@link LinkedConsole}. */
export interface LinkedConsoleState {
	readonly server: ConsoleServerState;
	/** Input that clients have refused. */
	readonly refused: readonly (readonly [client: number, bytes: Uint8Array])[];
}

/** The server, and its clients' side. Clients are numbers. */
export class LinkedConsole {
	readonly #environment: LinkedConsoleEnvironment;
	readonly #server: ConsoleServer;
	readonly #signalled = new Set<number>();
	#refused = new Map<number, Uint8Array>();

	constructor(environment: LinkedConsoleEnvironment) {
		this.#environment = environment;
		const { mmio } = environment;
		this.#server = new ConsoleServer(
			{ uart: 0, interrupt: 0, interruptBadge: 1n, clients: [] },
			{
				work: (nanos) => environment.work(nanos),
				notify: (slot) => this.#signalled.add(slot),
				// The kernel completes it at the controller.
				acknowledge: () => {},
				load: (address, size) => mmio.read(address, size),
				store: (address, size, value) => {
					mmio.write(address, size, value);
					return true;
				},
			},
		);
	}

	/** A copy. */
	get state(): LinkedConsoleState {
		return { server: this.#server.state, refused: [...this.#refused] };
	}

	/** Takes a saved state. Throws a `RangeError` where it is damaged. */
	restore({ server, refused }: LinkedConsoleState): void {
		this.#server.restore(server);
		this.#refused = new Map(refused);
	}

	/** Sets the UART up. */
	init(): void {
		this.#server.init();
	}

	/** The UART has interrupted. */
	interrupt(): void {
		this.#server.notified(1n);
		this.#deliver();
	}

	/** Makes room for a client. */
	addClient(client: number, name: string): void {
		this.#server.addClient({ name, badge: BigInt(client), notification: client });
	}

	/** Forgets one. */
	removeClient(client: number): void {
		this.#server.removeClient(BigInt(client));
		this.#refused.delete(client);
		this.#deliver();
	}

	/** A client prints. What the UART does not take for long is lost, as on a terminal that is not read. */
	write(client: number, bytes: Uint8Array): void {
		for (let at = 0; at < bytes.length; at += CONSOLE_BYTES)
			this.#server.protected(
				BigInt(client),
				bytesMessage(ConsoleRequest.write, bytes.subarray(at, at + CONSOLE_BYTES)),
			);
		this.#deliver();
	}

	/** A client that has refused input takes some again. */
	resume(client: number): void {
		this.#signalled.add(client);
		this.#deliver();
	}

	/** Gives clients the input that waits for them. Giving makes room, and may bring more. */
	#deliver(): void {
		for (const client of this.#signalled) {
			this.#signalled.delete(client);
			for (let bytes = this.#input(client); bytes.length > 0; bytes = this.#input(client)) {
				const taken = this.#environment.deliver(client, bytes);
				if (taken === bytes.length) continue;
				this.#refused.set(client, bytes.slice(taken));
				break;
			}
		}
	}

	#input(client: number): Uint8Array {
		const refused = this.#refused.get(client);
		this.#refused.delete(client);
		if (refused) return refused;
		const request = { label: ConsoleRequest.read, words: [BigInt(CONSOLE_BYTES)] };
		return messageBytes(this.#server.protected(BigInt(client), request)) ?? new Uint8Array(0);
	}
}

/** Makes one: what a kernel's configuration names. */
export function linkedConsole(environment: LinkedConsoleEnvironment): LinkedConsole {
	return new LinkedConsole(environment);
}
