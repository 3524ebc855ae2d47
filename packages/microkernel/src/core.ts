/**
 * What every part of the kernel shares: threads and their scheduling contexts, the current thread, accounting of time, who
 * runs next. Entry by entry:
 *
 * ```
 * enter    the time since the last leave is charged to who ran, by the policy
 * …        system call, fault, event: threads are woken and blocked, contexts move; each step is paid for
 * leave    the policy picks; registers and address space are switched; the price of it all passes in virtual time
 * ```
 * As in seL4, the kernel's time after the entry's time stamp falls to whoever runs next. Time stands still between enter
 * and leave. Not here: what system calls do.
 */
import { type CostProfile, chargeOf, type Operation, operations } from '@partita/kernel-costs';
import type { KernelBoard } from '@partita/machine';
import type { KernelPolicy } from './config.ts';
import { type ContextRecord, type ContextSettings, newContext } from './context.ts';
import { Processor, type ProcessorState } from './processor.ts';
import { type KernelCounters, newCounters } from './statistics.ts';
import { PC, restoreThread, saveThread, type Thread, type ThreadId, type ThreadState } from './thread.ts';
import type { KernelTrace } from './trace.ts';

/** State of a {@link KernelCore}. Plain data. */
export interface CoreState {
	readonly threads: readonly ThreadState[];
	readonly contexts: readonly ContextRecord[];
	readonly counters: KernelCounters;
	readonly processor: ProcessorState;
	/** Who is on the hart; 0: nobody. */
	readonly current: ThreadId;
	/** Whose registers the hart holds; 0: nobody's. */
	readonly loaded: ThreadId;
	/** Virtual time of the last entry. */
	readonly since: number;
	/** Price of the last leave. */
	readonly overhead: number;
	/** When the timer is set to. */
	readonly deadline: number | undefined;
}

/** What the core asks of the parts above it. */
export interface CorePort {
	/** satp of a program's address space. */
	satp(thread: Thread): bigint;
	/** Puts a guest on the hart. */
	attach(thread: Thread): void;
	/** Takes it off. */
	detach(thread: Thread): void;
	/** A component that has the hart does what takes no time. @returns whether somebody else may be to run now */
	step(thread: Thread): boolean;
	/** Nanoseconds that a component will compute before it does something. */
	remaining(thread: Thread): number;
	/** A component has computed for so long. */
	computed(thread: Thread, nanos: number): void;
	/** The first time that something of the kernel's own is due. */
	nextEvent(): number | undefined;
	/** A thread that had yielded to a context runs again. */
	yielded(thread: Thread, context: ContextRecord): void;
}

/** See the file's head. */
export class KernelCore {
	readonly board: KernelBoard;
	readonly policy: KernelPolicy;
	readonly processor: Processor;
	readonly threads = new Map<ThreadId, Thread>();
	readonly contexts = new Map<number, ContextRecord>();
	readonly trace: KernelTrace;
	counters: KernelCounters = newCounters();
	/** Set once by the kernel. */
	port!: CorePort;
	readonly #nanos: Record<Operation, number>;
	readonly #perUnit: Record<Operation, number>;
	#current: ThreadId = 0;
	#loaded: ThreadId = 0;
	#since = 0;
	#overhead = 0;
	#deadline: number | undefined;
	#cost = 0;
	/** A thread that was given the processor along with a message. */
	#direct: ThreadId = 0;
	#now = 0;
	#inside = false;
	#reason = '';
	#entrant: string | undefined;

	constructor(board: KernelBoard, policy: KernelPolicy, costs: CostProfile, trace: KernelTrace = {}) {
		this.board = board;
		this.policy = policy;
		this.trace = trace;
		this.processor = new Processor(board.harts[0]!);
		const names = Object.keys(operations) as Operation[];
		const table = (units: number): Record<Operation, number> =>
			Object.fromEntries(names.map((name) => [name, chargeOf(costs, name, units)])) as Record<Operation, number>;
		this.#nanos = table(0);
		this.#perUnit = table(1);
		for (const name of names) this.#perUnit[name] -= this.#nanos[name];
	}

	get state(): CoreState {
		return {
			threads: Array.from(this.threads.values(), saveThread),
			contexts: structuredClone([...this.contexts.values()]),
			counters: structuredClone(this.counters),
			processor: this.processor.state,
			current: this.#current,
			loaded: this.#loaded,
			since: this.#since,
			overhead: this.#overhead,
			deadline: this.#deadline,
		};
	}

	restore(state: CoreState): void {
		const threads = state.threads.map(restoreThread);
		this.threads.clear();
		for (const thread of threads) this.threads.set(thread.id, thread);
		this.contexts.clear();
		for (const context of structuredClone(state.contexts)) this.contexts.set(context.id, context);
		this.counters = structuredClone(state.counters);
		this.processor.restore(state.processor);
		this.#current = state.current;
		this.#loaded = state.loaded;
		this.#since = state.since;
		this.#overhead = state.overhead;
		this.#deadline = state.deadline;
		this.#now = state.since;
	}

	/** Time of the present entry. */
	get now(): number {
		return this.#now;
	}

	/** Whether the kernel has been entered and not left. */
	get inside(): boolean {
		return this.#inside;
	}

	/** Who is on the hart; undefined: nobody. */
	get current(): Thread | undefined {
		return this.#current === 0 ? undefined : this.threads.get(this.#current);
	}

	/** Whose registers the hart holds. */
	get loaded(): Thread | undefined {
		return this.#loaded === 0 ? undefined : this.threads.get(this.#loaded);
	}

	/** Takes whoever is on the hart off it. */
	unload(): void {
		const former = this.loaded;
		if (former?.kind === 'vcpu') this.port.detach(former);
		else if (former) this.processor.save(former);
		this.#loaded = 0;
	}

	/** Whether the hart is to run machine code. */
	get running(): boolean {
		return this.#current !== 0 && this.#current === this.#loaded;
	}

	/**
	 * Where a thread's registers are now: 0 to 64 are its x, its f and its pc. Its f may be stale while it is on the hart.
	 * Registers of a guest are not the kernel's to touch: those that it finds here are nobody's.
	 */
	words(thread: Thread): BigUint64Array {
		return thread.id === this.#loaded && thread.kind === 'program' ? this.processor.words : thread.words;
	}

	/** As {@link words}, as halves, low ones first. */
	halves(thread: Thread): Uint32Array {
		return thread.id === this.#loaded && thread.kind === 'program' ? this.processor.halves : thread.halves;
	}

	/** The kernel has done something that costs. */
	pay(operation: Operation, units = 0): void {
		this.#cost += this.#nanos[operation] + units * this.#perUnit[operation];
	}

	/** What an operation costs. */
	priceOf(operation: Operation, units: number): number {
		return this.#nanos[operation] + units * this.#perUnit[operation];
	}

	// Threads and scheduling contexts.

	/** Makes a thread known. */
	addThread(thread: Thread): void {
		this.threads.set(thread.id, thread);
		this.policy.add(thread.id, { priority: thread.priority, passive: true }, this.#now);
	}

	/** Forgets a thread, which is bound to no context. */
	removeThread(thread: Thread): void {
		this.policy.remove(thread.id);
		this.processor.forgetFloats(thread.id);
		if (this.#loaded === thread.id) {
			if (thread.kind === 'vcpu') this.port.detach(thread);
			this.#loaded = 0;
		}
		if (this.#current === thread.id) this.#current = 0;
		this.threads.delete(thread.id);
	}

	setPriority(thread: Thread, priority: number): void {
		thread.priority = priority;
		this.policy.change(thread.id, { priority, passive: true }, this.#now);
	}

	addContext(id: number, bits: number): void {
		this.contexts.set(id, newContext(id, bits));
	}

	/** Forgets a context, which is bound to no thread. */
	removeContext(id: number): void {
		if (this.contexts.get(id)?.configured) this.policy.removeContext(id);
		this.contexts.delete(id);
	}

	/** Sets what a context grants. */
	configure(context: ContextRecord, { badge, ...parameters }: ContextSettings): void {
		context.badge = badge;
		context.roundRobin = parameters.budget === parameters.period;
		if (context.configured) this.policy.changeContext(context.id, parameters, this.#now);
		else {
			this.policy.addContext(context.id, parameters, this.#now);
			context.configured = true;
			if (context.thread !== 0) this.policy.bind(context.thread, context.id, this.#now);
		}
	}

	/** Gives a context to a thread, taking it from whoever has it; 0 for either: takes it away. */
	bind(id: ThreadId, contextId: number): void {
		const thread = this.threads.get(id);
		const context = this.contexts.get(contextId);
		const former = context && this.threads.get(context.thread);
		const left = thread && this.contexts.get(thread.context);
		if (former && former !== thread) {
			former.context = 0;
			this.policy.bind(former.id, undefined, this.#now);
		}
		if (left && left !== context) {
			left.thread = 0;
			this.policy.bind(id, undefined, this.#now);
		}
		if (thread) thread.context = context?.id ?? 0;
		if (context) context.thread = thread?.id ?? 0;
		if (thread && context?.configured) this.policy.bind(id, contextId, this.#now);
	}

	/** Nanoseconds that a context has consumed since it was last asked. */
	takeConsumed(context: ContextRecord): number {
		const total = context.configured ? this.policy.consumed(context.id) : 0;
		const consumed = total - context.reported;
		context.reported = total;
		return consumed;
	}

	/** The thread is ready from now on. */
	wake(thread: Thread): void {
		thread.status = 'ready';
		this.policy.wake(thread.id, this.#now, thread.id === this.#direct ? 'front' : 'back');
	}

	/** The thread is ready, before its equals. */
	wakeFirst(thread: Thread): void {
		this.policy.block(thread.id, this.#now);
		thread.status = 'ready';
		this.policy.wake(thread.id, this.#now, 'front');
	}

	/** The thread is not ready any more. */
	block(thread: Thread, status: 'inactive' | 'blocked'): void {
		thread.status = status;
		this.policy.block(thread.id, this.#now);
	}

	/** A message has gone straight to a thread, which may go on at once. */
	handOver(to: ThreadId): void {
		this.#direct = to;
	}

	// Entries.

	/** The kernel is entered. @returns whether the current thread's budget has run out */
	enter(reason: string): boolean {
		const now = this.board.now();
		this.#inside = true;
		this.#now = now;
		this.#cost = 0;
		this.#direct = 0;
		this.#reason = reason;
		this.counters.entries++;
		const used = now - this.#since;
		this.#since = now;
		const thread = this.current;
		this.#entrant = thread?.name;
		const ran = Math.max(used - this.#overhead, 0);
		if (!thread) {
			this.counters.idleNanos += ran;
			return false;
		}
		thread.runNanos += ran;
		if (thread.kind === 'component') this.port.computed(thread, ran);
		const exhausted = this.policy.charge(thread.id, used, now);
		if (exhausted) {
			thread.exhaustions++;
			this.trace.exhausted?.(0, thread.name, now);
		}
		return exhausted;
	}

	/** The kernel is left: whoever is to run next is put on the hart. */
	leave(): void {
		const { counters } = this;
		let until: number | undefined;
		let thread: Thread | undefined;
		do {
			const decision = this.policy.pick(this.#now);
			thread = decision.entity === undefined ? undefined : this.threads.get(decision.entity);
			until = decision.until;
			this.#switch(thread);
		} while (thread?.kind === 'component' && this.port.step(thread));
		if (thread && thread.kind !== 'component' && this.#loaded !== thread.id) this.#load(thread);
		if (thread && thread.yieldedTo !== 0) {
			const context = this.contexts.get(thread.yieldedTo);
			thread.yieldedTo = 0;
			if (context) this.port.yielded(thread, context);
		}
		this.pay(thread?.kind === 'vcpu' ? 'vmEntry' : 'trapExit');
		// The time of what a component does next is known only now.
		let deadline = earlier(until, this.port.nextEvent());
		if (thread?.kind === 'component') {
			this.pay('timerProgram');
			deadline = earlier(deadline, this.#now + this.#cost + this.port.remaining(thread));
		} else if (deadline !== this.#deadline) this.pay('timerProgram');
		if (deadline !== this.#deadline) {
			this.#deadline = deadline;
			this.board.setTimer(deadline);
		}
		this.#overhead = this.#cost;
		counters.kernelNanos += this.#cost;
		this.board.charge(this.#cost);
		this.trace.entered?.(0, this.#reason, this.#entrant, this.#now, this.#cost);
		this.#inside = false;
	}

	/** The timer has fired: it is not set any more. @param counts - whether it was for the time */
	timerFired(counts: boolean): void {
		this.#deadline = undefined;
		if (counts) this.counters.timerEntries++;
	}

	/** Has the kernel entered as soon as the instruction under way is done. */
	requestEntry(): void {
		this.#deadline = this.board.now();
		this.board.setTimer(this.#deadline);
	}

	#switch(thread: Thread | undefined): void {
		const next = thread?.id ?? 0;
		const previous = this.current;
		if (next === this.#current) {
			if (next !== 0) this.pay('budgetCheck');
			return;
		}
		if (previous?.status === 'ready') previous.preemptions++;
		if (next !== this.#direct) this.pay('schedule');
		this.#current = next;
		this.trace.running?.(0, thread?.name, this.#now);
		if (!thread) return;
		this.counters.contextSwitches++;
		thread.dispatches++;
		this.pay('contextSwitch');
	}

	#load(thread: Thread): void {
		const { counters } = this;
		const former = this.loaded;
		this.unload();
		this.#loaded = thread.id;
		if (thread.kind === 'vcpu') {
			this.port.attach(thread);
			counters.worldSwitches++;
			this.pay('worldSwitch');
			return;
		}
		if (former?.kind === 'vcpu') {
			counters.worldSwitches++;
			this.pay('worldSwitch');
		}
		const { addressSpace, float } = this.processor.load(thread, this.port.satp(thread));
		if (addressSpace) {
			counters.addressSpaceSwitches++;
			this.pay('addressSpaceSwitch');
		}
		if (float) {
			counters.floatSwitches++;
			this.pay('floatSwitch');
		}
	}

	/** Sets where a thread goes on, for now and if its operation is undone. */
	setPc(thread: Thread, pc: bigint): void {
		this.words(thread)[PC] = pc;
		thread.restart = pc;
	}
}

function earlier(a: number | undefined, b: number | undefined): number | undefined {
	return a === undefined || (b !== undefined && b < a) ? b : a;
}
