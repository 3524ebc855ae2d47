/** What a component reaches of memory and devices: what is mapped in its address space, as for a program. */
import { ObjectKind } from '@partita/capability';
import type { KernelBoard } from '@partita/machine';
import type { KernelParts } from './parts.ts';
import { TcbSlot, type ThreadId } from './thread.ts';

/** See the file's head. */
export class ComponentAccess {
	readonly #parts: KernelParts;
	readonly #bus: KernelBoard['bus'];
	readonly #thread: ThreadId;
	readonly #work: (nanos: number) => void;

	/** @param work - takes what accesses cost */
	constructor(parts: KernelParts, bus: KernelBoard['bus'], thread: ThreadId, work: (nanos: number) => void) {
		this.#parts = parts;
		this.#bus = bus;
		this.#thread = thread;
		this.#work = work;
	}

	read(address: number, into: Uint8Array): boolean {
		return this.#copy(address, into.length, false, (physical, offset, length) =>
			this.#parts.memory.read(physical, into.subarray(offset, offset + length)),
		);
	}

	write(address: number, from: Uint8Array): boolean {
		return this.#copy(address, from.length, true, (physical, offset, length) =>
			this.#parts.memory.write(physical, from.subarray(offset, offset + length)),
		);
	}

	/** Nothing is copied unless all of it is mapped memory. */
	#copy(
		address: number,
		bytes: number,
		write: boolean,
		copy: (physical: number, offset: number, length: number) => boolean,
	): boolean {
		const { vspaces, memory, core } = this.#parts;
		const table = this.#table();
		if (!vspaces.pieces(table, address, bytes, write, (physical, _, length) => memory.contains(physical, length)))
			return false;
		this.#work(core.priceOf('copyWord', Math.ceil(bytes / 8)));
		return vspaces.pieces(table, address, bytes, write, copy);
	}

	load(address: number, size: 1 | 2 | 4): number | undefined {
		const found = this.#device(address, size, false);
		return found?.device.read(found.offset, size);
	}

	store(address: number, size: 1 | 2 | 4, value: number): boolean {
		const found = this.#device(address, size, true);
		found?.device.write(found.offset, size, value);
		return found !== undefined;
	}

	#device(address: number, size: number, write: boolean) {
		if (address % size !== 0) return undefined;
		const physical = this.#parts.vspaces.physical(this.#table(), address, write);
		const window = physical === undefined ? undefined : this.#bus.find(physical, size);
		if (!window) return undefined;
		this.#work(this.#parts.core.priceOf('deviceAccess', 1));
		return { device: window.device, offset: physical! - window.base };
	}

	#table(): number {
		const { space } = this.#parts;
		const root = space.at(space.slot(this.#thread, TcbSlot.vspace));
		return root !== 0 && space.kind(root) === ObjectKind.PageTable ? space.object(root) : 0;
	}
}
