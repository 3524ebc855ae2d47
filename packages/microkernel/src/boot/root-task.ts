/**
 * Boots a root task: one program that is given all that there is, and builds the rest of the system itself. seL4 reference
 * manual, "System Bootstrapping". Where everything goes is planned in root-task-plan.ts.
 */
import { guardWord, ObjectKind, Rights } from '@partita/capability';
import { MemoryMap } from '@partita/machine';
import { MicrokernelError } from '../config.ts';
import type { KernelParts } from '../parts.ts';
import { Register, TcbSlot } from '../thread.ts';
import { mappingWord } from '../vspace.ts';
import type { BootModule } from './boot.ts';
import { InitialSlot } from './bootinfo.ts';
import { planRootTask, type RootTaskPlan, SCHED_CONTEXT_BITS } from './root-task-plan.ts';
import type { PhysicalRange } from './untypeds.ts';

/** What a root task is. */
export interface RootTaskConfig {
	/** An ELF executable. */
	readonly image: Uint8Array;
	/** The board's devicetree, which it is told. */
	readonly deviceTree?: Uint8Array;
	/** A file that it finds in memory: the one device untyped that is in RAM, at its end. */
	readonly extraImage?: Uint8Array;
}

/** Timer and interrupt controller are the kernel's: they are no device memory. */
export const RESERVED: readonly PhysicalRange[] = [
	{ start: MemoryMap.aclint.base, end: MemoryMap.aclint.base + 0x20_0000 },
	{ start: MemoryMap.plic.base, end: MemoryMap.plic.base + MemoryMap.plic.size },
];
const PRIORITY = 255;
/** Its time slice: CONFIG_BOOT_THREAD_TIME_SLICE, 5 ms. */
const SLICE = 5_000_000;

/** A boot module that starts a root task. */
export function rootTask({ image, deviceTree, extraImage }: RootTaskConfig): BootModule {
	return ({ parts, memory }) => {
		const plan = planRootTask({
			image,
			deviceTree,
			extraImage,
			memory: { start: memory.base, end: memory.base + memory.size },
			reserved: RESERVED,
			cnodeBits: parts.profile.rootCNodeBits,
		});
		for (const { physical, bytes } of plan.contents)
			if (!parts.memory.write(physical, bytes)) throw new MicrokernelError('root task', 'its memory is no memory');
		const node = makeSpace(parts, plan);
		makeAddressSpace(parts, plan, node);
		makeThread(parts, plan, node);
	};
}

/** Its CNode, with what is no memory. @returns the CNode's object */
function makeSpace({ space, profile }: KernelParts, { objects, info }: RootTaskPlan): number {
	const bits = profile.rootCNodeBits;
	const node = space.createObject(ObjectKind.CNode, { address: objects.cnode, sizeBits: bits + 5 });
	const place = (slot: number, kind: number): void => {
		space.place(space.slot(node, slot), space.createObject(kind));
	};
	space.place(space.slot(node, InitialSlot.cnode), node, guardWord(0n, 64 - bits));
	place(InitialSlot.irqControl, ObjectKind.IrqControl);
	place(InitialSlot.asidControl, ObjectKind.AsidControl);
	place(InitialSlot.domain, ObjectKind.Domain);
	place(info.schedControl.start, ObjectKind.SchedControl);
	info.untypedBlocks.forEach(({ address, bits: sizeBits, device }, index) => {
		const object = space.createObject(ObjectKind.Untyped, { address, sizeBits, device });
		space.place(space.slot(node, info.untypeds.start + index), object);
	});
	return node;
}

function makeAddressSpace({ space, vspaces }: KernelParts, plan: RootTaskPlan, node: number): void {
	const { objects, tables, pages } = plan;
	const pool = space.createObject(ObjectKind.AsidPool, { address: objects.asidPool, sizeBits: 12 });
	space.place(space.slot(node, InitialSlot.asidPool), pool);
	vspaces.addPool(pool);
	const vspace = space.createObject(ObjectKind.PageTable, { address: objects.vspace, sizeBits: 12 });
	space.place(space.slot(node, InitialSlot.vspace), vspace);
	vspaces.assign(vspaces.tables.get(vspace)!, pool);
	const root = vspaces.root(vspace)!;
	for (const { vaddr, physical, slot } of tables) {
		const table = space.createObject(ObjectKind.PageTable, { address: physical, sizeBits: 12 });
		space.place(space.slot(node, slot), table);
		vspaces.mapTable(vspaces.tables.get(table)!, root, vaddr, vspaces.walk(root, vaddr));
	}
	for (const { vaddr, physical, slot } of pages) {
		const frame = space.createObject(ObjectKind.Page, { address: physical, sizeBits: 12 });
		space.place(space.slot(node, slot), frame, mappingWord(root.asid, vaddr));
		const rights = { read: true, write: true, execute: true };
		vspaces.mapFrame(physical, root, vaddr, vspaces.walk(root, vaddr), rights);
	}
}

function makeThread({ space, core }: KernelParts, plan: RootTaskPlan, node: number): void {
	const { objects, entry, bootInfoFrame, ipcBuffer } = plan;
	const tcb = space.createObject(ObjectKind.Tcb, { address: objects.tcb, sizeBits: 11 });
	space.place(space.slot(node, InitialSlot.tcb), tcb);
	const sizeBits = SCHED_CONTEXT_BITS;
	const context = space.createObject(ObjectKind.SchedContext, { address: objects.schedContext, sizeBits });
	space.place(space.slot(node, InitialSlot.schedContext), context);
	const thread = core.threads.get(tcb)!;
	const install = (index: number, slot: number): void => {
		space.copy(space.slot(tcb, index), space.slot(node, slot), Rights.All);
	};
	install(TcbSlot.cspace, InitialSlot.cnode);
	install(TcbSlot.vspace, InitialSlot.vspace);
	install(TcbSlot.buffer, InitialSlot.ipcBuffer);
	thread.name = 'rootserver';
	thread.bufferAddress = ipcBuffer;
	thread.mcp = PRIORITY;
	core.setPc(thread, entry);
	thread.words[Register.a0] = BigInt(bootInfoFrame);
	core.setPriority(thread, PRIORITY);
	core.configure(core.contexts.get(context)!, { badge: 0n, budget: SLICE, period: SLICE, refills: 2 });
	core.bind(tcb, context);
	core.wake(thread);
}
