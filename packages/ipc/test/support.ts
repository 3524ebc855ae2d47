/** A kernel without processors: it notes what IPC asks of it, and who has which scheduling context. */
import { type BlockedOn, Ipc, type IpcOptions, type ThreadPort } from '../src/index.ts';

/** What a thread is doing, to this kernel. */
export type Doing = 'running' | 'blocked' | 'stopped';

export class FakeKernel implements ThreadPort {
	readonly ipc: Ipc;
	readonly log: string[] = [];
	readonly doing = new Map<number, Doing>();
	/** Thread by context. */
	readonly holders = new Map<number, number>();
	readonly priorities = new Map<number, number>();
	/** What `reply` says of faulted threads: they do not go on. */
	readonly stopped = new Set<number>();

	constructor(options: Omit<IpcOptions, 'port'> = {}) {
		this.ipc = new Ipc({ ...options, port: this });
	}

	/** What has happened since. */
	take(): string[] {
		return this.log.splice(0);
	}

	give(context: number, thread: number): void {
		this.holders.set(context, thread);
	}

	doingOf(thread: number): Doing {
		return this.doing.get(thread) ?? 'running';
	}

	priority(thread: number): number {
		return this.priorities.get(thread) ?? 0;
	}

	block(thread: number, on: Exclude<BlockedOn, 0>): void {
		this.doing.set(thread, 'blocked');
		this.log.push(`block ${thread} ${on}`);
	}

	wake(thread: number, how: 'resume' | 'restart'): void {
		this.doing.set(thread, 'running');
		this.log.push(`${how} ${thread}`);
	}

	deactivate(thread: number): void {
		this.doing.set(thread, 'stopped');
		this.log.push(`stop ${thread}`);
	}

	deliver(from: number, to: number, endpoint: number, badge: bigint, grant: boolean): void {
		this.log.push(`deliver ${from}>${to} e${endpoint} b${badge}${grant ? ' grant' : ''}`);
	}

	reply(from: number, to: number, grant: boolean): boolean {
		this.log.push(`reply ${from}>${to}${grant ? ' grant' : ''}`);
		return !this.stopped.has(to);
	}

	notify(to: number, word: bigint): void {
		this.log.push(`notify ${to} ${word}`);
	}

	contextOf(thread: number): number {
		for (const [context, holder] of this.holders) if (holder === thread) return context;
		return 0;
	}

	holderOf(context: number): number {
		return this.holders.get(context) ?? 0;
	}

	donate(context: number, to: number): void {
		if (to !== 0 && this.contextOf(to) !== 0) throw new Error(`${to} has a context already`);
		this.holders.set(context, to);
		this.log.push(`donate ${context}>${to}`);
	}
}
