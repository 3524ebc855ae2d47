/**
 * Makes a system's objects through the microkernel, in place of Microkit's tool and initialiser: a boot module. What it makes
 * is in layout.ts. Not here: the kernel, and what descriptions say.
 */
import { Rights, type Slot } from '@partita/capability';
import { MemoryMap } from '@partita/machine';
import {
	type BootContext,
	type BootModule,
	Components,
	MicrokernelError,
	Register,
	SystemBuilder,
	TcbSlot,
	type Thread,
} from '@partita/microkernel';
import { CNODE_BITS, CONTEXT_BADGE, MonitorSlots, ROOT_BITS } from './abi.ts';
import type { SystemDescription } from './description.ts';
import { MicrokitError } from './error.ts';
import { type DomainLayout, type LayoutCapability, layoutSystem, type RegionLayout } from './layout.ts';
import { MonitorComponent } from './monitor-component.ts';
import type { FileSource } from './read-region.ts';
import { DEFAULT_BUDGET, LARGEST_PRIORITY, PAGE, STACK_TOP } from './target.ts';

/** What a system is booted with. */
export interface MicrokitOptions {
	/** Program images, by the names that the description uses. */
	readonly files: FileSource;
	/** The board's devicetree, for regions that are filled with it. */
	readonly deviceTree?: Uint8Array;
}

/** seL4_TCBFlag_fpuDisabled. */
const FPU_DISABLED = 1;
/** `SEL4_BOOTINFO_HEADER_FDT`, and bytes of the header that stands before the devicetree. */
const FDT_CHUNK = 6n;
const CHUNK_HEADER = 16;
const READ_WRITE = { read: true, write: true, execute: false } as const;
/** Device memory: what is neither RAM, nor the kernel's. */
const RESERVED = [MemoryMap.aclint, MemoryMap.plic];

/**
 * A boot module for a system. It throws a {@link MicrokitError} for programs that do not fit the description, and for what
 * the board does not have.
 */
export function microkitSystem(description: SystemDescription, options: MicrokitOptions): BootModule {
	return (context) => new Loader(context, description, options).load();
}

/** A domain's objects: slots of their original capabilities, and what else they are known by. */
interface Domain {
	readonly layout: DomainLayout;
	readonly thread: Thread;
	readonly root: ReturnType<SystemBuilder['addressSpace']>['root'];
	readonly tcb: Slot;
	readonly vspace: Slot;
	readonly sc: Slot;
	readonly reply: Slot;
	readonly notification: Slot;
	readonly endpoint: Slot | undefined;
	readonly cnode: Slot;
	readonly rootCnode: Slot;
}

class Loader {
	readonly #context: BootContext;
	readonly #builder: SystemBuilder;
	readonly #description: SystemDescription;
	readonly #options: MicrokitOptions;
	readonly #monitorEndpoint: Slot;

	constructor(context: BootContext, description: SystemDescription, options: MicrokitOptions) {
		this.#context = context;
		this.#builder = new SystemBuilder(context);
		this.#description = description;
		this.#options = options;
		this.#monitorEndpoint = this.#builder.endpoint();
	}

	load(): Components {
		const { file, schedule, domains: all } = this.#description;
		const [first] = all;
		if (schedule && first)
			throw new MicrokitError(file, first.place, 'a schedule of domains is read, but not run: take <domains> out');
		const layout = layoutSystem(this.#description, this.#options.files, {
			allocate: (bytes, alignment) => this.#builder.tryMemory(bytes, alignment),
			claim: (address, bytes) => this.#claim(address, bytes),
		});
		const frames = new Map(layout.regions.map((region) => [region.description.name, this.#makeRegion(region)]));
		const domains = layout.domains.map((domain, index) => this.#makeDomain(domain, index));
		for (const domain of domains) this.#furnish(domain, domains, frames);
		const components = this.#makeMonitor(domains);
		for (const index of layout.order) this.#context.parts.core.wake(domains[index]!.thread);
		return components;
	}

	#claim(address: number, bytes: number): boolean {
		const { memory } = this.#context.parts;
		const end = address + bytes;
		if (memory.contains(address, 1) || memory.contains(end - 1, 1)) return this.#builder.claim(address, bytes);
		const { ram } = MemoryMap;
		return (
			(end <= ram.base || address > ram.base) && !RESERVED.some(({ base, size }) => address < base + size && end > base)
		);
	}

	/** @returns its frames */
	#makeRegion({ description, physicalAddress }: RegionLayout): readonly Slot[] {
		const { size, pageSize, prefill } = description;
		const { memory } = this.#context.parts;
		const isDevice = !memory.contains(physicalAddress, size);
		const bytes = prefill?.kind === 'file' ? prefill.bytes : prefill && this.#deviceTree(size);
		if (bytes && !memory.write(physicalAddress, bytes)) {
			const why = `memory region '${description.name}': a device's registers cannot be filled`;
			throw new MicrokitError(this.#description.file, description.place, why);
		}
		return this.#builder.frames(physicalAddress, size, pageSize !== PAGE, isDevice);
	}

	/** The devicetree as boot information has it, as much of it as fits. */
	#deviceTree(size: number): Uint8Array {
		const { deviceTree } = this.#options;
		if (!deviceTree) return new Uint8Array();
		const bytes = new Uint8Array(CHUNK_HEADER + deviceTree.length);
		const view = new DataView(bytes.buffer);
		view.setBigUint64(0, FDT_CHUNK, true);
		view.setBigUint64(8, BigInt(bytes.length), true);
		bytes.set(deviceTree, CHUNK_HEADER);
		return bytes.subarray(0, size);
	}

	#makeDomain(layout: DomainLayout, index: number): Domain {
		const builder = this.#builder;
		const { description, hasEndpoint, program } = layout;
		const { name, priority, budget, period, stackSize, fpu } = description;
		const { parts } = this.#context;
		return this.#placed(layout, () => {
			const { slot: tcb, thread } = builder.thread(name, 'program', priority);
			const { slot: vspace, root } = builder.addressSpace(name);
			for (const { vaddr, bytes, size, read, write, execute } of program.segments) {
				const start = vaddr - (vaddr % PAGE);
				for (let page = start; page < vaddr + size; page += PAGE) {
					const physical = builder.mapFresh(name, root, page, { read, write, execute });
					const from = Math.max(page, vaddr);
					parts.memory.write(physical + (from - page), bytes.subarray(from - vaddr, page + PAGE - vaddr));
				}
			}
			for (let page = STACK_TOP - stackSize; page < STACK_TOP; page += PAGE)
				builder.mapFresh(name, root, page, READ_WRITE);
			builder.buffer(name, thread, root, program.ipcBuffer);
			for (const { vaddr, bytes } of program.patches) this.#patch(builder.object(vspace), vaddr, bytes);
			parts.core.setPc(thread, BigInt(program.entry));
			thread.words[Register.sp] = BigInt(STACK_TOP);
			if (!fpu) thread.flags |= FPU_DISABLED;
			const sc = this.#schedContext(budget, period, CONTEXT_BADGE + index);
			const rootCnode = builder.cnode(ROOT_BITS, 0);
			const cnode = builder.cnode(CNODE_BITS, 64 - ROOT_BITS - CNODE_BITS);
			const notification = builder.notification();
			parts.core.bind(thread.id, builder.object(sc));
			parts.ipc.bind(builder.object(notification), thread.id);
			const endpoint = hasEndpoint ? builder.endpoint() : undefined;
			const reply = builder.reply();
			return { layout, thread, root, tcb, vspace, sc, reply, notification, endpoint, cnode, rootCnode };
		});
	}

	#schedContext(budget: number, period: number, badge: number): Slot {
		const nanos = { budget: budget * 1000, period: period * 1000 };
		return this.#builder.schedContext({ ...nanos, refills: 2, rule: 'constant-bandwidth', badge: BigInt(badge) });
	}

	/** Bytes of a program that are not its file's. They may cross pages. */
	#patch(vspace: number, vaddr: number, bytes: Uint8Array): void {
		const { vspaces, memory } = this.#context.parts;
		vspaces.pieces(vspace, vaddr, bytes.length, false, (physical, offset, length) =>
			memory.write(physical, bytes.subarray(offset, offset + length)),
		);
	}

	/** Capabilities, mappings and handlers of faults: every object is there. */
	#furnish(domain: Domain, domains: readonly Domain[], frames: ReadonlyMap<string, readonly Slot[]>): void {
		const builder = this.#builder;
		const { layout, thread, root, cnode, rootCnode, vspace } = domain;
		const { name } = layout.description;
		this.#placed(layout, () => {
			builder.give(name, builder.object(rootCnode), 0, cnode);
			builder.give(name, thread.id, TcbSlot.cspace, rootCnode);
			builder.give(name, thread.id, TcbSlot.vspace, vspace);
			const handler = this.#endpointOf(layout.fault.endpoint, domains);
			builder.give(name, thread.id, TcbSlot.faultHandler, handler, Rights.All, layout.fault.badge);
			for (const capability of layout.capabilities) this.#give(builder.object(cnode), capability, domains);
			for (const capability of layout.rootCapabilities) this.#give(builder.object(rootCnode), capability, domains);
			for (const { region, vaddr, permissions } of layout.description.maps) {
				let address = vaddr;
				for (const frame of frames.get(region)!) {
					builder.mapFrame(name, root, address, frame, permissions);
					address += 2 ** this.#context.parts.space.sizeBits(builder.object(frame));
				}
			}
		});
	}

	#endpointOf(of: number | 'monitor', domains: readonly Domain[]): Slot {
		return of === 'monitor' ? this.#monitorEndpoint : domains[of]!.endpoint!;
	}

	#give(cnode: number, capability: LayoutCapability, domains: readonly Domain[]): void {
		const builder = this.#builder;
		const { slot } = capability;
		const put = (original: Slot, badge = 0n): void => {
			builder.give(`slot ${slot}`, cnode, slot, original, Rights.All, badge === 0n ? undefined : badge);
		};
		switch (capability.kind) {
			case 'endpoint':
				put(this.#endpointOf(capability.of, domains), capability.badge);
				break;
			case 'irq': {
				const handler = builder.irqHandler(capability.irq);
				const { notification } = domains[capability.of]!;
				builder.give(`slot ${slot}`, builder.object(handler), 0, notification, Rights.All, capability.badge);
				put(handler);
				break;
			}
			case 'notification':
				put(domains[capability.of]!.notification, capability.badge);
				break;
			default:
				put(domains[capability.of]![capability.kind]);
		}
	}

	/** The monitor: more urgent than every domain, and there first. */
	#makeMonitor(domains: readonly Domain[]): Components {
		const { parts, calls, board } = this.#context;
		const builder = this.#builder;
		const { slot: _, thread } = builder.thread('monitor', 'component', LARGEST_PRIORITY + 1);
		const cnode = builder.cnode(CNODE_BITS);
		const node = builder.object(cnode);
		const give = (slot: number, original: Slot): void => {
			builder.give('monitor', node, slot, original);
		};
		builder.give('monitor', thread.id, TcbSlot.cspace, cnode);
		builder.give('monitor', thread.id, TcbSlot.vspace, builder.addressSpace('monitor').slot);
		parts.core.bind(thread.id, builder.object(this.#schedContext(DEFAULT_BUDGET, DEFAULT_BUDGET, 0)));
		const own = Components.slots(CNODE_BITS);
		give(own.endpoint, this.#monitorEndpoint);
		give(own.reply, builder.reply());
		domains.forEach(({ tcb, sc, notification, layout }, index) => {
			give(MonitorSlots.tcbs + index, tcb);
			if (!layout.description.passive) return;
			give(MonitorSlots.contexts + index, sc);
			give(MonitorSlots.notifications + index, notification);
		});
		const components = new Components(parts, calls, board);
		components.add({
			thread,
			create: (environment) => new MonitorComponent(environment, this.#description.domains, parts.profile),
			slotBits: CNODE_BITS,
			pool: { base: 0, size: 0 },
			vcpus: [],
		});
		parts.core.wake(thread);
		return components;
	}

	/** What the builder refuses, with the domain's place in the file. */
	#placed<T>({ description }: DomainLayout, make: () => T): T {
		try {
			return make();
		} catch (error) {
			if (!(error instanceof MicrokernelError)) throw error;
			const why = `protection domain '${description.name}': ${error.message}`;
			throw new MicrokitError(this.#description.file, description.place, why);
		}
	}
}
