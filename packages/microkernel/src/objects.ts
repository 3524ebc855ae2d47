/**
 * The lives of kernel objects: what begins when one is made, and what ends when its last capability is gone; the port of
 * `@partita/capability`. Not here: what capabilities there are.
 */
import { ObjectKind, type ObjectPort } from '@partita/capability';
import type { Ipc } from '@partita/ipc';
import type { KernelCore } from './core.ts';
import type { InterruptController } from './interrupts.ts';
import type { KernelMemory } from './parts.ts';
import { newThread } from './thread.ts';
import type { VSpaces } from './vspace.ts';

/** log2 of the bytes of frames by kind. */
const FRAME_BITS: ReadonlyMap<number, number> = new Map([
	[ObjectKind.Page, 12],
	[ObjectKind.MegaPage, 21],
	[ObjectKind.GigaPage, 30],
]);
const PAGE = 4096;
const ZEROS = new Uint8Array(PAGE);

/** What objects are made of. */
export interface ObjectParts {
	readonly core: KernelCore;
	readonly ipc: Ipc;
	readonly vspaces: VSpaces;
	readonly interrupts: InterruptController;
	readonly memory: KernelMemory & { isFresh(page: number): boolean };
	/** Physical address of an object. */
	addressOf(object: number): number;
	/** An address space has ended. */
	spacesChanged(): void;
}

/** See the file's head. */
export class Objects implements ObjectPort {
	/** Set once by the kernel. */
	parts!: ObjectParts;

	created(object: number, type: number, address: number, sizeBits: number): void {
		const { core, vspaces } = this.parts;
		switch (type) {
			case ObjectKind.Tcb:
				core.addThread(newThread(object, `tcb ${object}`, 'program'));
				break;
			case ObjectKind.SchedContext:
				core.addContext(object, sizeBits);
				break;
			case ObjectKind.PageTable:
				vspaces.addTable(object, address);
				break;
		}
	}

	finalise(object: number, type: number): void {
		const { core, ipc, vspaces, interrupts } = this.parts;
		core.pay('capabilityOperation');
		switch (type) {
			case ObjectKind.Tcb: {
				const thread = core.threads.get(object)!;
				ipc.endThread(object);
				core.block(thread, 'inactive');
				if (thread.context !== 0) core.bind(0, thread.context);
				core.removeThread(thread);
				break;
			}
			case ObjectKind.Endpoint:
				ipc.cancelAll(object);
				break;
			case ObjectKind.Notification:
				ipc.endNotification(object);
				break;
			case ObjectKind.Reply:
				ipc.endReply(object);
				break;
			case ObjectKind.SchedContext:
				core.bind(0, object);
				ipc.endContext(object);
				core.removeContext(object);
				break;
			case ObjectKind.PageTable:
				vspaces.removeTable(object);
				this.parts.spacesChanged();
				break;
			case ObjectKind.AsidPool:
				vspaces.removePool(object);
				this.parts.spacesChanged();
				break;
			case ObjectKind.IrqHandler:
				interrupts.release(object);
				break;
		}
	}

	dropped(object: number, type: number, word: bigint): void {
		const bits = FRAME_BITS.get(type);
		if (bits !== undefined && word !== 0n) {
			this.parts.core.pay('pageTableUpdate');
			this.parts.vspaces.unmapFrame(this.parts.addressOf(object), bits, word);
		}
	}

	derive(object: number, type: number, word: bigint): bigint | undefined {
		if (FRAME_BITS.has(type)) return 0n;
		const table = this.parts.vspaces.tables.get(object);
		return table && (table.asid !== 0 || table.mapping !== 0n) ? word : undefined;
	}

	/** Only pages that were ever touched are cleared: the others are zero. */
	clear(address: number, bytes: number): void {
		const { memory, core } = this.parts;
		let pages = 0;
		for (let page = address; page < address + bytes; page += PAGE) {
			if (memory.isFresh(page)) continue;
			memory.write(page, bytes < PAGE ? ZEROS.subarray(0, bytes) : ZEROS);
			pages++;
		}
		core.pay('retype', pages);
	}
}
