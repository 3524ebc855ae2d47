/**
 * Boots a static system: all its domains and the objects between them are made before the first of them runs.
 *
 * The first thing that names an endpoint, notification or reply object makes it. A domain that is passive has processor time
 * of its own until it waits for the first time.
 */
import { Rights, type Slot } from '@partita/capability';
import { Components } from '../component-runner.ts';
import { MicrokernelError } from '../config.ts';
import type { HostedThreads } from '../hosted.ts';
import { TcbSlot, type Thread } from '../thread.ts';
import type { TableRecord } from '../vspace.ts';
import type { BootContext, BootModule } from './boot.ts';
import { SystemBuilder } from './builder.ts';
import {
	type CapabilityDescription,
	type ComponentDescription,
	checkDescription,
	namedObject,
	type ProtectionDomainDescription,
	type RegionDescription,
	type SchedulingDescription,
	type SystemDescription,
} from './description.ts';
import { loadProgram } from './load.ts';

const SLOT_BITS = 8;
/** seL4_TCBFlag_fpuDisabled. */
const FPU_DISABLED = 1;

/** What a domain consists of. */
interface Domain {
	readonly place: string;
	readonly description: ProtectionDomainDescription;
	readonly thread: Thread;
	readonly root: TableRecord;
	/** Object of its root CNode. */
	readonly cnode: number;
}

/** A boot module for a system as described. Throws a {@link MicrokernelError} at once for a description that cannot be. */
export function staticSystem(description: SystemDescription): BootModule {
	checkDescription(description);
	return (context) => new StaticSystem(context, description).build();
}

class StaticSystem {
	readonly #context: BootContext;
	readonly #description: SystemDescription;
	readonly #builder: SystemBuilder;
	/** Original capabilities by kind and name. */
	readonly #originals = new Map<string, Slot>();
	/** Frames of regions, by name. */
	readonly #regions = new Map<string, readonly Slot[]>();

	constructor(context: BootContext, description: SystemDescription) {
		this.#context = context;
		this.#description = description;
		this.#builder = new SystemBuilder(context);
	}

	build(): HostedThreads | undefined {
		const { domains = [], components = [], regions = [] } = this.#description;
		for (const region of regions) this.#makeRegion(region);
		const programs = domains.map((domain, index) => {
			const made = this.#makeDomain(`domains[${index}] (${domain.name})`, domain, 'program');
			loadProgram(made.place, domain, made.thread, made.root, this.#builder, this.#context);
			if (domain.floatingPoint === false) made.thread.flags |= FPU_DISABLED;
			return made;
		});
		const hosted = components.map((component, index) => ({
			...this.#makeDomain(`components[${index}] (${component.name})`, component, 'component'),
			description: component,
		}));
		// Every object that a domain is has its name now.
		for (const domain of [...programs, ...hosted]) this.#furnish(domain);
		const runner = hosted.length > 0 ? this.#host(hosted) : undefined;
		for (const { thread } of [...programs, ...hosted]) this.#context.parts.core.wake(thread);
		return runner;
	}

	#makeRegion({ name, size, physical }: RegionDescription): void {
		const builder = this.#builder;
		const mappings = [...(this.#description.domains ?? []), ...(this.#description.components ?? [])]
			.flatMap(({ mappings: all = [] }) => all)
			.filter(({ region }) => region === name);
		const large = SystemBuilder.fitsLarge(size, physical ?? 0, ...mappings.map(({ address }) => address));
		const place = `region ${name}`;
		const address = physical ?? builder.memory(place, size, large ? 2 ** 21 : 2 ** 12);
		const { memory } = this.#context.parts;
		if (physical !== undefined && (memory.contains(physical, 1) || memory.contains(physical + size - 1, 1)))
			throw new MicrokernelError(place, `0x${physical.toString(16)} is memory: that is the kernel's to give`);
		this.#regions.set(name, builder.frames(address, size, large, physical !== undefined));
	}

	#makeDomain(place: string, description: ProtectionDomainDescription, kind: 'program' | 'component'): Domain {
		const builder = this.#builder;
		const { name, slotBits = SLOT_BITS } = description;
		const { slot, thread } = builder.thread(name, kind, description.priority);
		const space = builder.addressSpace(place);
		const cnode = builder.cnode(slotBits);
		builder.give(place, thread.id, TcbSlot.cspace, cnode);
		builder.give(place, thread.id, TcbSlot.vspace, space.slot);
		this.#originals.set(`thread ${name}`, slot);
		this.#originals.set(`capabilitySpace ${name}`, cnode);
		this.#originals.set(`schedulingContext ${name}`, this.#schedule(thread, description));
		return { place, description, thread, root: space.root, cnode: builder.object(cnode) };
	}

	/** A thread's scheduling context. */
	#schedule(thread: Thread, { budget, period, slice, passive }: SchedulingDescription): Slot {
		const { core, ipc } = this.#context.parts;
		const builder = this.#builder;
		const settings = {
			badge: BigInt(thread.id),
			...(budget !== undefined && period !== undefined && { budget, period }),
			...(slice !== undefined && { slice }),
		};
		const slot = builder.schedContext(settings);
		core.bind(thread.id, builder.object(slot));
		// Bound to its notification too, the context goes there when the thread first waits.
		if (passive) ipc.bindContext(builder.object(slot), builder.object(this.#ownNotification(thread.name)));
		return slot;
	}

	/** The notification that a passive domain is bound to. */
	#ownNotification(name: string): Slot {
		const all = [...(this.#description.domains ?? []), ...(this.#description.components ?? [])];
		const bound = all.find((domain) => domain.name === name)?.boundNotification;
		return this.#named('notification', bound ?? ` ${name}`);
	}

	/** The original capability to an object between domains, which is made now if it is not there. */
	#named(kind: 'endpoint' | 'notification' | 'reply', name: string): Slot {
		const key = `${kind} ${name}`;
		let slot = this.#originals.get(key);
		if (slot === undefined) {
			slot = this.#builder[kind]();
			this.#originals.set(key, slot);
		}
		return slot;
	}

	/** Capabilities, mappings and what else a domain has of objects that others have, too. */
	#furnish({ place, description, thread, root, cnode }: Domain): void {
		const builder = this.#builder;
		const { capabilities = [], mappings = [], boundNotification, faultEndpoint, passive, name } = description;
		capabilities.forEach((capability, index) => {
			this.#give(`${place}.capabilities[${index}]`, cnode, capability);
		});
		for (const { region, address, write = false, execute = false } of mappings) {
			let at = address;
			for (const frame of this.#regions.get(region)!) {
				builder.mapFrame(place, root, at, frame, { read: true, write, execute });
				at += this.#frameBytes(frame);
			}
		}
		if (boundNotification !== undefined || passive) {
			const notification = builder.object(this.#ownNotification(name));
			if (!this.#context.parts.ipc.bind(notification, thread.id))
				throw new MicrokernelError(`${place}.boundNotification`, `${boundNotification} is bound to another domain`);
		}
		if (faultEndpoint) {
			const { endpoint, badge } = faultEndpoint;
			const original = this.#named('endpoint', endpoint);
			builder.give(place, thread.id, TcbSlot.faultHandler, original, Rights.All, badge);
		}
	}

	#frameBytes(frame: Slot): number {
		return 2 ** this.#context.parts.space.sizeBits(this.#builder.object(frame));
	}

	#give(place: string, cnode: number, capability: CapabilityDescription): void {
		const builder = this.#builder;
		const { slot, rights = Rights.All } = capability;
		if ('irq' in capability) {
			const handler = builder.irqHandler(capability.irq);
			const notification = this.#named('notification', capability.signals);
			builder.give(place, builder.object(handler), 0, notification, Rights.All, capability.badge);
			builder.give(place, cnode, slot, handler, rights);
			return;
		}
		const [kind, name] = namedObject(capability)!;
		if (kind === 'region') {
			this.#regions.get(name)!.forEach((frame, index) => {
				builder.give(place, cnode, slot + index, frame, rights);
			});
			return;
		}
		const badge = 'badge' in capability ? capability.badge : undefined;
		const original =
			kind === 'endpoint' || kind === 'notification' || kind === 'reply'
				? this.#named(kind, name)
				: this.#originals.get(`${kind} ${name}`)!;
		builder.give(place, cnode, slot, original, rights, badge === 0n ? undefined : badge);
	}

	#host(hosted: readonly (Domain & { readonly description: ComponentDescription })[]): HostedThreads {
		const { parts, calls, board } = this.#context;
		const builder = this.#builder;
		const runner = new Components(parts, calls, board);
		for (const { place, description, thread, cnode } of hosted) {
			const { slotBits = SLOT_BITS, pool: poolBytes = 0, receives = ` ${description.name}`, create } = description;
			const slots = Components.slots(slotBits);
			const endpoint = this.#named('endpoint', receives);
			builder.give(place, cnode, slots.endpoint, endpoint);
			builder.give(place, cnode, slots.reply, builder.reply());
			const base = poolBytes > 0 ? builder.memory(`${place}.pool`, poolBytes, 2 ** 21) : 0;
			const vcpus = (description.vcpus ?? []).map((vcpu, index) => {
				const made = builder.thread(vcpu.name, 'vcpu', vcpu.priority);
				this.#schedule(made.thread, vcpu);
				// Unbadged is the first: a badge of 0 is none.
				const badge = index === 0 ? undefined : BigInt(index);
				builder.give(place, made.thread.id, TcbSlot.faultHandler, endpoint, Rights.All, badge);
				return made.thread;
			});
			runner.add({ thread, create, slotBits, pool: { base, size: poolBytes }, vcpus });
		}
		return runner;
	}
}
