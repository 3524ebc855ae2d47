/** The board's console: the driver that shares its UART, and the interrupt that it is woken by. */
import { registersAt } from './board.ts';
import type { CostTable } from './costs.ts';
import { PlicContext } from './plic.ts';
import type { ConsoleConfig, ConsoleDriver, HypervisorBoard } from './ports.ts';

/** What the kernel gives it. */
export interface BoardConsolePorts {
	pay(operation: keyof CostTable, units?: number): void;
	/** The driver has computed. */
	spend(nanos: number): void;
	/** Input for a client. @returns how many bytes it took */
	deliver(client: number, bytes: Uint8Array): number;
}

/** The driver, its device and its interrupt. */
export class BoardConsole {
	readonly driver: ConsoleDriver;
	readonly #plic: PlicContext;
	readonly #ports: BoardConsolePorts;

	/** @throws HypervisorError where the board does not have what it needs */
	constructor(board: HypervisorBoard, config: ConsoleConfig, ports: BoardConsolePorts) {
		const { create, address = 0x1000_0000, interrupt = 10, plic = 0xc00_0000, context = 1 } = config;
		const { read, write } = registersAt(board, 'console.address', address);
		this.#ports = ports;
		this.driver = create({
			mmio: {
				read: (offset, size) => {
					ports.pay('deviceAccess', 1);
					return read(offset, size);
				},
				write: (offset, size, value) => {
					ports.pay('deviceAccess', 1);
					write(offset, size, value);
				},
			},
			work: (nanos) => ports.spend(nanos),
			deliver: (client, bytes) => ports.deliver(client, bytes),
		});
		this.#plic = new PlicContext(registersAt(board, 'console.plic', plic), context);
		this.#plic.enable(interrupt);
		this.driver.init();
	}

	/** An external interrupt is pending. @returns how many were served */
	serveInterrupts(): number {
		let served = 0;
		for (let source = this.#plic.claim(); source !== 0; source = this.#plic.claim()) {
			served++;
			this.#ports.pay('interruptDelivery');
			this.driver.interrupt();
			this.#plic.complete(source);
		}
		return served;
	}
}
