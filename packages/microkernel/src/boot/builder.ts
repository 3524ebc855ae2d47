/**
 * Makes the objects of a system that is described from outside: for boot modules. All original capabilities are in a CNode
 * that nobody can reach; what threads get are copies of them, so that revoking works as among threads.
 *
 * Memory that is private to a thread is mapped without capabilities: nobody can take it away. Not here: what a system
 * consists of (static.ts).
 */
import { type CapabilityFailure, guardWord, ObjectKind, Rights, type Slot } from '@partita/capability';
import { MicrokernelError } from '../config.ts';
import type { ContextSettings } from '../context.ts';
import { FrameRegion } from '../frames.ts';
import type { Thread, ThreadKind } from '../thread.ts';
import { newThread, TcbSlot } from '../thread.ts';
import { mappingWord, type PageRights, type TableRecord } from '../vspace.ts';
import type { BootContext } from './boot.ts';

const PAGE = 4096;
const LARGE_PAGE = 0x20_0000;
/** log2 of the slots of the CNode of originals: its tables are made as they are used. */
const ORIGINALS = 24;
/** log2 of the bytes of a scheduling context: room for eight refills and more. */
const CONTEXT_BITS = 10;

/** See the file's head. */
export class SystemBuilder {
	readonly #context: BootContext;
	readonly #frames: FrameRegion;
	readonly #originals: number;
	#next = 1;
	#pools = 0;

	constructor(context: BootContext) {
		const { parts, memory } = context;
		this.#context = context;
		this.#frames = new FrameRegion(parts.memory, memory.base, memory.size);
		const { space } = parts;
		this.#originals = space.createObject(ObjectKind.CNode, { address: 0, sizeBits: ORIGINALS + 5 });
		space.place(space.slot(this.#originals, 0), this.#originals, guardWord(0n, 64 - ORIGINALS));
	}

	/** Number of the object that a capability is to. */
	object(slot: Slot): number {
		const { space } = this.#context.parts;
		return space.object(space.at(slot));
	}

	/** A fresh run of memory: its physical address. */
	memory(what: string, bytes: number, alignment: number = PAGE): number {
		const address = this.#frames.allocate(bytes, alignment);
		if (address === undefined)
			throw new MicrokernelError(what, `no run of ${bytes} bytes of memory is left: give the machine more`);
		return address;
	}

	/** As {@link memory}; undefined where there is none. */
	tryMemory(bytes: number, alignment: number): number | undefined {
		return this.#frames.allocate(bytes, alignment);
	}

	/** Takes a given run of memory. @returns whether all of it was free */
	claim(address: number, bytes: number): boolean {
		return this.#frames.claim(address, bytes);
	}

	// Objects: the slots of their original capabilities.

	#original(object: number, word = 0n): Slot {
		const { space } = this.#context.parts;
		const slot = space.slot(this.#originals, this.#next++);
		space.place(slot, object, word);
		return slot;
	}

	/** An endpoint. */
	endpoint(): Slot {
		return this.#original(this.#context.parts.space.createObject(ObjectKind.Endpoint));
	}

	/** A notification. */
	notification(): Slot {
		return this.#original(this.#context.parts.space.createObject(ObjectKind.Notification));
	}

	/** A reply object. */
	reply(): Slot {
		return this.#original(this.#context.parts.space.createObject(ObjectKind.Reply));
	}

	/** A CNode of 2^`bits` slots; its capability decodes a pointer of 64 bits unless it has another guard. */
	cnode(bits: number, guardBits: number = 64 - bits): Slot {
		const object = this.#context.parts.space.createObject(ObjectKind.CNode, { address: 0, sizeBits: bits + 5 });
		return this.#original(object, guardWord(0n, guardBits));
	}

	/** A scheduling context; without settings, it grants nothing yet. */
	schedContext(settings?: ContextSettings): Slot {
		const { space, core } = this.#context.parts;
		const object = space.createObject(ObjectKind.SchedContext, { address: 0, sizeBits: CONTEXT_BITS });
		if (settings) core.configure(core.contexts.get(object)!, settings);
		return this.#original(object);
	}

	/** A thread that is inactive. */
	thread(name: string, kind: ThreadKind, priority: number): { readonly slot: Slot; readonly thread: Thread } {
		const { space, core } = this.#context.parts;
		const object = space.createObject(ObjectKind.Tcb, { address: 0, sizeBits: 11 });
		if (kind !== 'program') {
			core.removeThread(core.threads.get(object)!);
			core.addThread(newThread(object, name, kind));
		}
		const thread = core.threads.get(object)!;
		thread.name = name;
		thread.mcp = priority;
		core.setPriority(thread, priority);
		return { slot: this.#original(object), thread };
	}

	/** The handler of an interrupt, which signals what is installed in its slot 0. */
	irqHandler(irq: number): Slot {
		const { space, interrupts } = this.#context.parts;
		const object = space.createObject(ObjectKind.IrqHandler);
		interrupts.handle(irq, object);
		return this.#original(object);
	}

	/** Frames over physical memory, of 2 MiB or of 4 KiB each. */
	frames(address: number, bytes: number, large: boolean, device: boolean): Slot[] {
		const { space } = this.#context.parts;
		const sizeBits = large ? 21 : 12;
		const kind = large ? ObjectKind.MegaPage : ObjectKind.Page;
		const slots: Slot[] = [];
		for (let at = address; at < address + bytes; at += 2 ** sizeBits)
			slots.push(this.#original(space.createObject(kind, { address: at, sizeBits, device })));
		return slots;
	}

	/** Whether frames of 2 MiB can be had for a range. */
	static fitsLarge(...addresses: readonly number[]): boolean {
		return addresses.every((address) => address % LARGE_PAGE === 0);
	}

	/** An empty address space: its root table. */
	addressSpace(what: string): { readonly slot: Slot; readonly root: TableRecord } {
		const { space, vspaces } = this.#context.parts;
		const object = space.createObject(ObjectKind.PageTable, { address: this.memory(what, PAGE), sizeBits: 12 });
		const root = vspaces.tables.get(object)!;
		// Pools of boot modules are no objects: their numbers are not those of any.
		while (this.#pools === 0 || !vspaces.assign(root, -this.#pools)) {
			if (!vspaces.addPool(-++this.#pools)) throw new MicrokernelError(what, 'there are no more address spaces');
		}
		return { slot: this.#original(object), root };
	}

	// Capabilities.

	/** Copies a capability into a slot of a CNode or TCB, with `rights` at most, and a badge or guard where one is given. */
	give(what: string, object: number, index: number, original: Slot, rights: number = Rights.All, word?: bigint): Slot {
		const { space } = this.#context.parts;
		const to = space.slot(object, index);
		const failure: CapabilityFailure | undefined =
			word === undefined ? space.copy(to, original, rights) : space.mint(to, original, rights, word);
		if (failure) throw new MicrokernelError(what, `the capability cannot be given: seL4 error ${failure.error}`);
		return to;
	}

	// Address spaces.

	/** Maps the frame of a capability: the copy that is mapped is kept, and revoking it unmaps the frame. */
	mapFrame(what: string, root: TableRecord, address: number, frame: Slot, rights: PageRights): void {
		const { space, vspaces } = this.#context.parts;
		const copy = this.give(what, this.#originals, this.#next++, frame);
		const capability = space.at(copy);
		const object = space.object(capability);
		const entry = this.#entry(what, root, address, space.sizeBits(object));
		vspaces.mapFrame(space.address(object), root, address, entry, rights);
		space.setWord(capability, mappingWord(root.asid, address));
	}

	/** Maps fresh memory, a page of 4 KiB: its physical address. */
	mapFresh(what: string, root: TableRecord, address: number, rights: PageRights): number {
		const physical = this.memory(what, PAGE);
		this.#context.parts.vspaces.mapFrame(physical, root, address, this.#entry(what, root, address, 12), rights);
		return physical;
	}

	/** The empty entry for a page, with the tables above it. */
	#entry(what: string, root: TableRecord, address: number, bits: number) {
		const { vspaces } = this.#context.parts;
		for (;;) {
			const entry = vspaces.walk(root, address);
			if (entry.bits === bits && entry.pte === 0n) return entry;
			if (entry.pte !== 0n || entry.bits < bits)
				throw new MicrokernelError(what, `0x${address.toString(16)} is mapped already`);
			const table = { id: 0, address: this.memory(what, PAGE), asid: 0, mapping: 0n };
			vspaces.mapTable(table, root, address, entry);
		}
	}

	// Threads.

	/** Gives a thread its IPC buffer: a fresh page at an address. */
	buffer(what: string, thread: Thread, root: TableRecord, address: number): void {
		const { space } = this.#context.parts;
		const physical = this.mapFresh(what, root, address, { read: true, write: true, execute: false });
		const frame = space.createObject(ObjectKind.Page, { address: physical, sizeBits: 12 });
		space.place(space.slot(thread.id, TcbSlot.buffer), frame);
		thread.bufferAddress = address;
	}
}
