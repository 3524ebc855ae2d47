/**
 * Runs hosted components and the guests of their virtual CPUs. A component makes system calls as a program does, through
 * its registers and its capability space; between them it computes for as long as it said, and can be preempted.
 *
 * ```
 *        ┌──────────── queue empty: Recv ◄───────────┐
 *        ▼                                           │
 *   event ──► handler ──► queue: work, call, … ──► one at a time, as its time passes
 * ```
 * Its endpoint and its reply object are in the two uppermost slots of its capability space. Not here: what a component is
 * (component.ts), how its objects are made (boot/).
 */
import type { TrapExit } from '@partita/cpu';
import { Blocked } from '@partita/ipc';
import type { KernelBoard } from '@partita/machine';
import type { ComponentBehaviour, ComponentFactory, MemoryPool, Message, VcpuRegisters } from './component.ts';
import { ComponentAccess } from './component-access.ts';
import { Pool, type PoolState } from './guest-space.ts';
import type { HostedThreads } from './hosted.ts';
import { decodeMessageInfo } from './message.ts';
import type { KernelParts } from './parts.ts';
import type { SystemCallName } from './profile.ts';
import type { SystemCalls } from './system-calls.ts';
import { PC, Register, type Thread, type ThreadId } from './thread.ts';

/** What a component does next, in its own time. */
type Action =
	| { readonly does: 'work'; readonly nanos: number }
	| { readonly does: 'notify' | 'acknowledge'; readonly slot: number }
	| {
			readonly does: 'call';
			readonly slot: number;
			readonly message: Message;
			readonly capabilities: readonly number[];
	  }
	| { readonly does: 'reply'; readonly message: Message }
	| { readonly does: 'resume' | 'suspend'; readonly vcpu: number };

/** A component's progress. Plain data. */
interface Progress {
	started: boolean;
	/** Nanoseconds that it computes before the queue goes on. */
	remaining: number;
	queue: Action[];
	/** What the system call that it is in will bring. */
	waiting: 'nothing' | 'event' | 'answer';
	alarm: number | undefined;
	alarmDue: boolean;
}

/** A virtual CPU. The registers are the component's; all else is plain data. */
interface Vcpu {
	readonly thread: ThreadId;
	readonly component: Component;
	readonly index: number;
	registers: VcpuRegisters | undefined;
	/** 0: none. */
	hgatp: bigint;
	/** Pages of its second-stage tables. */
	tables: readonly number[];
	exit: TrapExit | undefined;
}

interface Component {
	readonly thread: ThreadId;
	readonly behaviour: ComponentBehaviour;
	readonly pool: Pool;
	/** Slots of its endpoint and its reply object. */
	readonly endpoint: number;
	readonly reply: number;
	readonly vcpus: readonly Vcpu[];
	progress: Progress;
	/** What a handler asks for, while it runs. */
	asked: Action[];
}

/** State of {@link Components}. Plain data. */
export interface ComponentsState {
	readonly components: readonly {
		readonly behaviour: unknown;
		readonly pool: PoolState | undefined;
		readonly progress: Progress;
		readonly vcpus: readonly Pick<Vcpu, 'hgatp' | 'tables' | 'exit'>[];
	}[];
}

/** How a component is added: its objects are there. */
export interface ComponentPlacement {
	readonly thread: Thread;
	readonly create: ComponentFactory;
	/** log2 of the slots of its capability space. */
	readonly slotBits: number;
	/** Its pool: physical address and bytes. */
	readonly pool: { readonly base: number; readonly size: number };
	/** Threads of its virtual CPUs. */
	readonly vcpus: readonly Thread[];
}

/** Each event takes this at least: so time passes whatever components do to each other. */
const LEAST_NANOS = 1;
const VMID = 0x3fffn << 44n;

/** See the file's head. */
export class Components implements HostedThreads {
	readonly #parts: KernelParts;
	readonly #calls: SystemCalls;
	readonly #board: KernelBoard;
	readonly #components = new Map<ThreadId, Component>();
	readonly #vcpus = new Map<ThreadId, Vcpu>();

	constructor(parts: KernelParts, calls: SystemCalls, board: KernelBoard) {
		this.#parts = parts;
		this.#calls = calls;
		this.#board = board;
	}

	/** The slots of a capability space of 2^`slotBits` slots that are a component's own: its endpoint and its reply object. */
	static slots(slotBits: number): { readonly endpoint: number; readonly reply: number } {
		return { endpoint: 2 ** slotBits - 1, reply: 2 ** slotBits - 2 };
	}

	get state(): ComponentsState {
		return {
			components: Array.from(this.#components.values(), ({ behaviour, pool, progress, vcpus }) => ({
				behaviour: structuredClone(behaviour.state),
				pool: pool.state,
				progress: structuredClone(progress),
				vcpus: vcpus.map(({ hgatp, tables, exit }) => structuredClone({ hgatp, tables, exit })),
			})),
		};
	}

	restore(state: ComponentsState): void {
		const components = [...this.#components.values()];
		if (state.components.length !== components.length) throw new RangeError('snapshot: it has other components');
		components.forEach((component, index) => {
			const { behaviour, pool, progress, vcpus } = structuredClone(state.components[index]!);
			component.pool.restore(pool);
			component.progress = progress;
			component.behaviour.restore(behaviour as never);
			component.vcpus.forEach((vcpu, number) => {
				Object.assign(vcpu, vcpus[number]);
			});
		});
		const { loaded, processor } = this.#parts.core;
		if (loaded?.kind === 'vcpu') this.#vcpus.get(loaded.id)?.registers?.adopt(processor.hart);
	}

	/** Makes a component. */
	add({ thread, create, slotBits, pool, vcpus }: ComponentPlacement): void {
		const asked: Action[] = [];
		const component = {
			thread: thread.id,
			pool: new Pool(this.#parts.memory, pool.base, pool.size),
			...Components.slots(slotBits),
			vcpus: [] as Vcpu[],
			progress: {
				started: false,
				remaining: 0,
				queue: [],
				waiting: 'nothing',
				alarm: undefined,
				alarmDue: false,
			} satisfies Progress as Progress,
			asked,
		};
		vcpus.forEach(({ id }, index) => {
			const vcpu: Vcpu = {
				thread: id,
				component: component as unknown as Component,
				index,
				registers: undefined,
				hgatp: 0n,
				tables: [],
				exit: undefined,
			};
			component.vcpus.push(vcpu);
			this.#vcpus.set(id, vcpu);
		});
		const behaviour = create(this.#environment(component as unknown as Component, thread.name));
		this.#components.set(thread.id, Object.assign(component, { behaviour }));
	}

	#environment(component: Component, name: string): Parameters<ComponentFactory>[0] {
		const { core } = this.#parts;
		const ask = (action: Action): void => {
			component.asked.push(action);
		};
		const work = (nanos: number): void => {
			if (!(nanos >= 0)) throw new RangeError(`${name}: work of ${nanos} ns`);
			ask({ does: 'work', nanos: Math.ceil(nanos) });
		};
		const access = new ComponentAccess(this.#parts, this.#board.bus, component.thread, work);
		const pool: MemoryPool = component.pool;
		return {
			name,
			now: () => core.now,
			work,
			notify: (slot) => ask({ does: 'notify', slot }),
			call: (slot, message, capabilities = []) => ask({ does: 'call', slot, message, capabilities }),
			reply: (message) => ask({ does: 'reply', message }),
			acknowledge: (slot) => ask({ does: 'acknowledge', slot }),
			alarm: (nanos) => {
				component.progress.alarm = nanos;
			},
			read: (address, into) => access.read(address, into),
			write: (address, from) => access.write(address, from),
			load: (address, size) => access.load(address, size),
			store: (address, size, value) => access.store(address, size, value),
			print: (bytes) => {
				for (const byte of bytes) this.#parts.debug(name, byte);
			},
			pool,
			vcpus: component.vcpus.map((vcpu) => ({
				bind: (registers, hgatp) => this.#bind(vcpu, registers, hgatp),
				unbind: () => this.#unbind(vcpu),
				resume: () => ask({ does: 'resume', vcpu: vcpu.index }),
				suspend: () => ask({ does: 'suspend', vcpu: vcpu.index }),
			})),
		};
	}

	// Components.

	step(thread: Thread): boolean {
		const component = this.#components.get(thread.id)!;
		const { progress, behaviour } = component;
		if (progress.remaining > 0) return false;
		const { waiting } = progress;
		if (waiting !== 'nothing') {
			if (this.#mustRepeat(thread)) this.#call(thread, this.#callUnderWay(thread));
			else {
				progress.waiting = 'nothing';
				if (waiting === 'answer') this.#handle(component, () => behaviour.replied?.(this.#message(thread)));
				else this.#event(component, thread);
			}
			return true;
		}
		if (!progress.started) {
			progress.started = true;
			this.#handle(component, () => behaviour.init?.());
			return true;
		}
		const action = progress.queue.shift();
		if (action) this.#perform(component, thread, action);
		else if (progress.alarmDue) {
			progress.alarmDue = false;
			this.#handle(component, () => behaviour.alarm?.());
		} else this.#receive(component, thread, 'Recv');
		return true;
	}

	remaining(thread: Thread): number {
		return this.#components.get(thread.id)!.progress.remaining;
	}

	computed(thread: Thread, nanos: number): void {
		const { progress } = this.#components.get(thread.id)!;
		progress.remaining = Math.max(progress.remaining - nanos, 0);
	}

	nextEvent(): number | undefined {
		let next: number | undefined;
		for (const { progress } of this.#components.values())
			if (progress.alarm !== undefined && (next === undefined || progress.alarm < next)) next = progress.alarm;
		return next;
	}

	expire(): void {
		const { core, ipc } = this.#parts;
		for (const { thread: id, progress } of this.#components.values()) {
			if (progress.alarm === undefined || progress.alarm > core.now) continue;
			progress.alarm = undefined;
			progress.alarmDue = true;
			// As the interrupt of a timer, and the signal of its driver.
			core.pay('interruptDelivery');
			core.pay('notification');
			const thread = core.threads.get(id);
			if (!thread || progress.waiting !== 'event' || ipc.blockedOn(id) !== Blocked.Receive) continue;
			ipc.cancel(id);
			const context = ipc.boundContext(ipc.boundNotification(id));
			if (thread.context === 0 && context !== 0 && core.contexts.get(context)?.thread === 0) core.bind(id, context);
			core.wake(thread);
		}
	}

	/** Runs a handler; what it asks for comes before what is left to do. */
	#handle({ progress, asked }: Component, handler: () => void): void {
		progress.remaining = LEAST_NANOS;
		handler();
		progress.queue.unshift(...asked.splice(0));
		this.#takeWork(progress);
	}

	/** Work at the head of the queue is what it does now. */
	#takeWork(progress: Progress): void {
		for (let next = progress.queue[0]; next?.does === 'work'; next = progress.queue[0]) {
			progress.remaining += next.nanos;
			progress.queue.shift();
		}
	}

	#event(component: Component, thread: Thread): void {
		const { behaviour } = component;
		const badge = this.#parts.core.words(thread)[Register.a0]!;
		switch (thread.received) {
			case 'signal':
				this.#handle(component, () => behaviour.notified?.(badge));
				return;
			case 'message':
				this.#handle(component, () => answer(component, behaviour.protected?.(badge, this.#message(thread))));
				return;
			case 'fault':
				this.#handle(component, () => answer(component, behaviour.fault?.(badge, this.#message(thread))));
				return;
			case 'exit': {
				const vcpu = component.vcpus[Number(badge)]!;
				const exit = vcpu.exit!;
				vcpu.exit = undefined;
				this.#handle(component, () => {
					const next = behaviour.exit?.(vcpu.index, exit);
					if (next === 'resume') component.asked.push({ does: 'reply', message: { label: 0, words: [] } });
				});
				return;
			}
			// Its alarm woke it.
			case 'nothing':
		}
	}

	#perform(component: Component, thread: Thread, action: Action): void {
		const { transfer, profile, core, threads } = this.#parts;
		const { progress } = component;
		switch (action.does) {
			case 'work':
				progress.remaining += action.nanos;
				return;
			case 'notify':
				transfer.give(thread, BigInt(action.slot), 0, []);
				this.#call(thread, 'Send');
				break;
			case 'acknowledge':
				transfer.give(thread, BigInt(action.slot), profile.invocations.IRQAckIRQ ?? 0, []);
				this.#call(thread, 'Send');
				break;
			case 'call': {
				const { slot, message, capabilities } = action;
				transfer.give(thread, BigInt(slot), message.label, message.words, capabilities.map(BigInt));
				progress.waiting = 'answer';
				this.#call(thread, 'Call');
				return;
			}
			case 'reply': {
				const combined = progress.queue.length === 0 && !progress.alarmDue;
				const slot = combined ? component.endpoint : component.reply;
				transfer.give(thread, BigInt(slot), action.message.label, action.message.words);
				if (combined) this.#receive(component, thread, 'ReplyRecv');
				else this.#call(thread, 'NBSend');
				break;
			}
			case 'resume':
			case 'suspend': {
				const vcpu = component.vcpus[action.vcpu]!;
				const target = core.threads.get(vcpu.thread);
				core.pay('trapEntry');
				core.pay('systemCall');
				core.pay('capabilityLookup', 1);
				if (target && action.does === 'suspend') threads.suspend(target);
				else if (target && vcpu.registers) threads.resume(target);
			}
		}
		this.#takeWork(progress);
	}

	#receive(component: Component, thread: Thread, name: 'Recv' | 'ReplyRecv'): void {
		const words = this.#parts.core.words(thread);
		words[Register.a0] = BigInt(component.endpoint);
		words[Register.a6] = BigInt(component.reply);
		thread.received = 'nothing';
		component.progress.waiting = 'event';
		this.#call(thread, name);
	}

	/** A system call. As for a program, the pc says whether it is done: 1, or to be done again: 0. */
	#call(thread: Thread, name: SystemCallName): void {
		const { core, profile } = this.#parts;
		const words = core.words(thread);
		words[Register.a7] = BigInt.asUintN(64, BigInt(profile.systemCalls[name]!));
		thread.restart = 0n;
		words[PC] = 1n;
		core.counters.entries++;
		core.counters.systemCalls[name] = (core.counters.systemCalls[name] ?? 0) + 1;
		thread.systemCalls++;
		core.pay('trapEntry');
		core.pay('systemCall');
		this.#calls.handle(thread, name);
	}

	#mustRepeat(thread: Thread): boolean {
		return this.#parts.core.words(thread)[PC] === 0n;
	}

	#callUnderWay(thread: Thread): SystemCallName {
		return this.#calls.name(this.#parts.core.words(thread)[Register.a7]!)!;
	}

	#message(thread: Thread): Message {
		const { label, length } = decodeMessageInfo(this.#parts.core.words(thread)[Register.a1]!);
		return { label, words: this.#parts.transfer.words(thread, length) };
	}

	// Virtual CPUs.

	#bind(vcpu: Vcpu, registers: VcpuRegisters, hgatp: bigint): void {
		for (const other of this.#vcpus.values()) {
			if (other.hgatp !== 0n && (other.hgatp & VMID) === (hgatp & VMID) && other.component !== vcpu.component)
				throw new RangeError(`VMID ${(hgatp & VMID) >> 44n} is another component's`);
		}
		const tables = vcpu.component.pool.freeze(hgatp);
		this.#park(vcpu);
		Object.assign(vcpu, { registers, hgatp, tables });
		this.#parts.core.processor.hart.ports.flush('gvma', undefined, (hgatp & VMID) >> 44n);
	}

	#unbind(vcpu: Vcpu): void {
		const target = this.#parts.core.threads.get(vcpu.thread);
		if (target) this.#parts.threads.suspend(target);
		this.#park(vcpu);
		vcpu.registers = undefined;
	}

	/** Off the hart, and its tables are the component's again. */
	#park(vcpu: Vcpu): void {
		const { core } = this.#parts;
		if (core.loaded?.id === vcpu.thread) core.unload();
		vcpu.component.pool.thaw(vcpu.tables);
		vcpu.tables = [];
		vcpu.hgatp = 0n;
	}

	attach(thread: Thread): void {
		const { registers, hgatp } = this.#vcpus.get(thread.id)!;
		this.#parts.core.processor.loadGuest(thread.id, registers!, hgatp);
	}

	detach(thread: Thread): void {
		this.#vcpus.get(thread.id)!.registers?.detach();
	}

	exit(thread: Thread, trap: TrapExit): void {
		const { core, threads } = this.#parts;
		this.#vcpus.get(thread.id)!.exit = trap;
		core.counters.exits++;
		core.pay('vmExit');
		threads.exit(thread, trap);
	}
}

function answer({ asked }: Component, message: Message | undefined): void {
	if (message) asked.push({ does: 'reply', message });
}
