/**
 * The kernel: a hosted kernel of the board, wired from its parts. It is entered by traps of the thread that runs, by its
 * timer and by interrupts. Not here: what each part does.
 */
import { CapabilitySpace, type CapabilityState, ObjectKind, SEL4_MCS_RISCV64 } from '@partita/capability';
import type { TrapExit } from '@partita/cpu';
import { Ipc, type IpcState } from '@partita/ipc';
import { type HostedKernel, type HostedKernelFactory, type KernelBoard, MemoryMap } from '@partita/machine';
import { type MicrokernelConfig, MicrokernelError } from './config.ts';
import { type CoreState, KernelCore } from './core.ts';
import { DomainSchedule, type DomainState } from './domains.ts';
import type { HostedThreads } from './hosted.ts';
import { InterruptController, type InterruptState } from './interrupts.ts';
import { microseconds } from './invocations/sched.ts';
import { Objects } from './objects.ts';
import type { KernelParts } from './parts.ts';
import { type InvocationName, SEL4_MCS_16 } from './profile.ts';
import type { KernelStatistics, ThreadStatistics } from './statistics.ts';
import { SystemCalls } from './system-calls.ts';
import { type FaultKind, PC, Register, TcbSlot, type Thread } from './thread.ts';
import { Threads } from './threads.ts';
import { MessageTransfer } from './transfer.ts';
import { VSpaces, type VSpacesState } from './vspace.ts';

/** State of a {@link Microkernel}. Plain data. */
export interface MicrokernelState {
	readonly core: CoreState;
	readonly policy: unknown;
	readonly capabilities: CapabilityState;
	readonly ipc: IpcState;
	readonly vspaces: VSpacesState;
	readonly interrupts: InterruptState;
	readonly domains: DomainState;
	/** Whether the interrupt line is up. */
	readonly external: boolean;
	/** Of components; undefined: there are none. */
	readonly hosted: unknown;
}

const PAGE = 4096;
/** Exception codes. RISC-V privileged architecture, "Supervisor Cause Register". */
const Cause = { instructionAccess: 1, userCall: 8 } as const;
/** What a VMFault says for a page fault, too: that of an access fault. */
const MEMORY_CAUSES: ReadonlyMap<number, number> = new Map([
	[1, 1],
	[5, 5],
	[7, 7],
	[12, 1],
	[13, 5],
	[15, 7],
]);

/** See the file's head. */
export class Microkernel implements HostedKernel {
	readonly #core: KernelCore;
	readonly #space: CapabilitySpace;
	readonly #parts: KernelParts;
	readonly #calls: SystemCalls;
	readonly #interrupts: InterruptController;
	/** Runs threads that are no programs; there are none without it. */
	readonly #hosted: HostedThreads | undefined;
	#external = false;
	/** Address spaces may have changed: that of the thread on the hart, too. */
	#spacesChanged = false;

	/** Throws a {@link MicrokernelError} where the board does not have what it needs, or the boot module refuses. */
	constructor(board: KernelBoard, config: MicrokernelConfig) {
		const { memory } = board;
		const available = freeMemory(board, config.memory);
		const profile = config.profile ?? SEL4_MCS_16;
		const core = new KernelCore(board, config.policy, config.costs, config.trace);
		const objects = new Objects();
		const space = new CapabilitySpace({ types: SEL4_MCS_RISCV64, port: objects });
		const transfer = new MessageTransfer(core, space, memory);
		const threads = new Threads(core, space, transfer, profile);
		const ipc = new Ipc({ port: threads });
		threads.ipc = ipc;
		// The last page stays zero: the address space of threads that have none.
		const size = available.size - PAGE;
		const vspaces = new VSpaces(memory, board.harts[0]!, available.base + size);
		const interrupts = new InterruptController(board.bus);
		objects.parts = {
			core,
			ipc,
			vspaces,
			interrupts,
			memory: {
				contains: (address, length) => memory.contains(address, length),
				read: (address, into) => memory.read(address, into),
				write: (address, from) => memory.write(address, from),
				isFresh: (page) => ((memory.pageMap[page / PAGE] ?? 0) & HELD) === 0,
			},
			addressOf: (object) => space.address(object),
			spacesChanged: () => {
				this.#spacesChanged = true;
			},
		};
		this.#core = core;
		this.#space = space;
		this.#interrupts = interrupts;
		this.#parts = {
			profile,
			labels: new Map(
				Object.entries(profile.invocations).map(([name, label]) => [label as number, name as InvocationName]),
			),
			memory,
			core,
			space,
			ipc,
			vspaces,
			interrupts,
			domains: new DomainSchedule(profile.domains, profile.domainSchedules),
			threads,
			transfer,
			vspaceChanged: () => {
				this.#spacesChanged = true;
			},
			flagsChanged: (thread, flags) => this.#setFlags(thread, flags),
			debug:
				config.onDebug === undefined
					? (_, byte) => board.console.write(Uint8Array.of(byte))
					: (thread, byte) => config.onDebug?.(thread, byte),
		};
		this.#calls = new SystemCalls(this.#parts);
		core.port = {
			satp: (thread) => this.#satp(thread),
			attach: (thread) => this.#hosted!.attach(thread),
			detach: (thread) => this.#hosted!.detach(thread),
			step: (thread) => this.#hosted!.step(thread),
			remaining: (thread) => this.#hosted!.remaining(thread),
			computed: (thread, nanos) => this.#hosted!.computed(thread, nanos),
			nextEvent: () => this.#hosted?.nextEvent(),
			yielded: (thread, context) => {
				transfer.give(thread, 0n, 0, [microseconds(core.takeConsumed(context))]);
			},
		};
		core.processor.initialise();
		interrupts.initialise();
		core.enter('boot');
		const free = { base: available.base, size };
		this.#hosted = config.boot({ parts: this.#parts, board, calls: this.#calls, memory: free });
		this.#leave();
	}

	get state(): MicrokernelState {
		const { ipc, vspaces, domains } = this.#parts;
		return {
			core: this.#core.state,
			policy: this.#core.policy.state,
			capabilities: structuredClone(this.#space.state),
			ipc: structuredClone(ipc.state),
			vspaces: vspaces.state,
			interrupts: this.#interrupts.state,
			domains: domains.state,
			external: this.#external,
			hosted: this.#hosted?.state,
		};
	}

	restore(state: MicrokernelState): void {
		const { ipc, vspaces, domains } = this.#parts;
		this.#core.restore(state.core);
		this.#core.policy.restore(state.policy);
		this.#space.restore(structuredClone(state.capabilities));
		ipc.restore(structuredClone(state.ipc));
		vspaces.restore(state.vspaces);
		this.#interrupts.restore(state.interrupts);
		domains.restore(state.domains);
		this.#external = state.external;
		this.#hosted?.restore(state.hosted as never);
	}

	/** What it has done, and its threads. */
	get statistics(): KernelStatistics {
		return {
			...structuredClone(this.#core.counters),
			threads: Array.from(this.#core.threads.values(), threadStatistics),
		};
	}

	/**
	 * Copies from the address space of a thread, by its name: for whoever looks at a system from outside. False, with `into`
	 * in part filled, where there is no such thread, or something is not mapped.
	 */
	readMemory(name: string, address: number, into: Uint8Array): boolean {
		const { memory, vspaces } = this.#parts;
		for (const thread of this.#core.threads.values()) {
			if (thread.name !== name) continue;
			return vspaces.pieces(this.#root(thread), address, into.length, false, (physical, offset, length) =>
				memory.read(physical, into.subarray(offset, offset + length)),
			);
		}
		return false;
	}

	isRunning(): boolean {
		return this.#core.running;
	}

	handleTrap(_hart: number, trap: TrapExit): void {
		const core = this.#core;
		const thread = core.loaded!;
		if (thread.kind === 'vcpu') {
			core.enter('exit');
			this.#hosted!.exit(thread, trap);
			this.#leave();
			return;
		}
		const words = core.words(thread);
		const number = words[Register.a7]!;
		const isCall = !trap.interrupt && trap.cause === Cause.userCall;
		const name = isCall ? this.#calls.name(number) : undefined;
		const exhausted = core.enter(name ?? 'fault');
		core.pay('trapEntry');
		thread.restart = words[PC]!;
		// Without budget, it comes again when it has some.
		if (exhausted) this.#parts.threads.timeout(thread);
		else if (!isCall) this.#exception(thread, trap);
		else if (name === undefined) this.#unknownCall(thread, words);
		else {
			core.pay('systemCall');
			thread.systemCalls++;
			core.counters.systemCalls[name] = (core.counters.systemCalls[name] ?? 0) + 1;
			words[PC] = thread.restart + 4n;
			this.#calls.handle(thread, name);
		}
		this.#leave();
	}

	#unknownCall(thread: Thread, words: BigUint64Array): void {
		const { counters } = this.#core;
		counters.systemCalls.unknown = (counters.systemCalls.unknown ?? 0) + 1;
		const registers = [PC, Register.sp, Register.ra, 10, 11, 12, 13, 14, 15, 16, Register.a7];
		this.#fault(
			thread,
			'UnknownSyscall',
			registers.map((register) => words[register]!),
		);
	}

	#exception(thread: Thread, { cause, value }: TrapExit): void {
		const status = MEMORY_CAUSES.get(cause);
		if (status !== undefined) {
			const prefetch = status === Cause.instructionAccess;
			this.#fault(thread, 'VMFault', [thread.restart, value, prefetch ? 1n : 0n, BigInt(status)]);
		} else {
			const sp = this.#core.words(thread)[Register.sp]!;
			this.#fault(thread, 'UserException', [thread.restart, sp, BigInt(cause), 0n]);
		}
	}

	#fault(thread: Thread, kind: FaultKind, words: readonly bigint[]): void {
		this.#parts.threads.fault(thread, { kind, words });
	}

	timer(): void {
		const core = this.#core;
		// What the interrupt line asked for comes here, too.
		core.timerFired(!this.#external);
		const thread = core.current;
		if (core.enter(this.#external ? 'interrupt' : 'timer') && thread) this.#parts.threads.timeout(thread);
		core.pay('trapEntry');
		this.#hosted?.expire();
		this.#leave();
	}

	external(_hart: number, level: boolean): void {
		this.#external = level;
		if (level && !this.#core.inside) this.#core.requestEntry();
	}

	/** Delivers what interrupts are pending, and leaves the kernel. */
	#leave(): void {
		const core = this.#core;
		while (this.#external) {
			const handler = this.#interrupts.claim();
			if (handler === undefined) break;
			core.pay('interruptDelivery');
			core.counters.interrupts++;
			if (handler === 0) continue;
			const notification = this.#space.at(this.#space.slot(handler, 0));
			if (notification !== 0) this.#parts.ipc.signal(this.#space.object(notification), this.#space.word(notification));
		}
		core.leave();
		// A component has touched a device meanwhile.
		if (this.#external) core.requestEntry();
		if (!this.#spacesChanged) return;
		this.#spacesChanged = false;
		const { loaded } = core;
		if (loaded?.kind === 'program') core.processor.setSpace(this.#satp(loaded));
	}

	#satp(thread: Thread): bigint {
		return this.#parts.vspaces.satp(this.#root(thread));
	}

	/** A thread's root table, or 0. */
	#root(thread: Thread): number {
		const root = this.#space.held(thread.id, TcbSlot.vspace);
		const isTable = root !== 0 && this.#space.kind(root) === ObjectKind.PageTable;
		return isTable ? this.#space.object(root) : 0;
	}

	#setFlags(thread: Thread, flags: number): void {
		const core = this.#core;
		if (core.loaded !== thread) {
			thread.flags = flags;
			return;
		}
		core.processor.save(thread);
		thread.flags = flags;
		core.processor.load(thread, this.#satp(thread));
	}
}

/** `PageFlag.held` of `@partita/memory`: the page was touched. */
const HELD = 4;

function freeMemory(board: KernelBoard, wanted: MicrokernelConfig['memory']): { base: number; size: number } {
	if (wanted) {
		const { base, size } = wanted;
		const whole = base % PAGE === 0 && size % PAGE === 0 && size >= 2 * PAGE;
		if (!whole || !board.memory.contains(base, size))
			throw new MicrokernelError('memory', `0x${base.toString(16)}, ${size} bytes, is no RAM of whole pages`);
		return wanted;
	}
	const { base } = MemoryMap.ram;
	let size = 0;
	for (let step = 2 ** 36; step >= PAGE; step /= 2) if (board.memory.contains(base + size, step)) size += step;
	return { base, size };
}

function threadStatistics(thread: Thread): ThreadStatistics {
	const { name, kind, status, runNanos, dispatches, preemptions, exhaustions, systemCalls, fault } = thread;
	return { name, kind, status, runNanos, dispatches, preemptions, exhaustions, systemCalls, fault: fault?.kind };
}

/** What makes a microkernel for a machine, and the kernel once it is made. */
export interface MicrokernelFactory extends HostedKernelFactory {
	/** Throws an `Error` before a machine was made with it. */
	readonly kernel: Microkernel;
}

/** A machine's hosted kernel: give it as `kernel` to one `Machine`. */
export function microkernel(config: MicrokernelConfig): MicrokernelFactory {
	let made: Microkernel | undefined;
	return {
		hosted: { machine: true, supervisor: true },
		create: (board) => {
			made = new Microkernel(board, config);
			return made;
		},
		get kernel() {
			if (!made) throw new Error('the kernel is made with its machine: make that first');
			return made;
		},
	};
}
