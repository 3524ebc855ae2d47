/**
 * Who has the hart, and what everything costs. Entry by entry:
 *
 * ```
 * enter     the guest's time is counted
 * …         exit, interrupt, timer, control: monitors and drivers work, and each step is paid for
 * leave     the price passes in virtual time, charged to who caused it; where anything has changed, the policy is asked
 *           who is next; its registers are put on the hart, at the price of whoever is next, or of who has gone to sleep
 * ```
 * Time stands still between enter and leave. An exit after which the same guest goes on does not ask the policy: its timer
 * says when it must be.
 *
 * Not here: what there is to do between enter and leave, and how VMs come and go (hypervisor.ts).
 */
import type { Hart } from '@partita/cpu';
import type { CostTable } from './costs.ts';
import type { Guest, VcpuRecord } from './guest.ts';
import { idleHart, prepareHart } from './host-hart.ts';
import type { HypervisorBoard, VcpuPolicy } from './ports.ts';
import type { DispatcherState } from './state.ts';
import { type HypervisorCounters, newCounters } from './statistics.ts';
import type { KernelTrace } from './trace.ts';

/** Pages that are cleared in one entry: about 10 us on the U54. */
const CLEAR_PAGES = 16;

/** What a dispatcher is made of. */
export interface DispatcherPorts<P> {
	readonly board: HypervisorBoard;
	readonly policy: VcpuPolicy<P>;
	readonly costs: CostTable;
	readonly trace: KernelTrace | undefined;
	/** All VMs, by name. */
	readonly guests: ReadonlyMap<string, Guest>;
	/** An entry is about to end. */
	leaving(): void;
	/** A VM is gone; none of its virtual CPUs is on the hart. */
	gone(guest: Guest): void;
	/** A VM has ended, or had. */
	ended(): void;
}

/** See the file's head. */
export class Dispatcher<P> {
	readonly #ports: DispatcherPorts<P>;
	readonly #hart: Hart;
	/** By their number in the policy. */
	readonly entities = new Map<number, VcpuRecord>();
	counters: HypervisorCounters = newCounters();
	/** Who has the hart's time. */
	#current: VcpuRecord | undefined;
	/** Whose registers the hart holds: not while its monitor clears memory. */
	#attached: VcpuRecord | undefined;
	/** Whose it held last. */
	#loaded: VcpuRecord | undefined;
	/** Up to when the policy has been told of use. */
	#since = 0;
	/** When the kernel was left last, and entered. */
	#left = 0;
	#entered = 0;
	#deadline: number | undefined;
	/** What has been paid, and has not passed in time. */
	#cost = 0;
	/** Between enter and leave. What comes from outside then (a back end that answers) makes an entry of its own. */
	#inside = true;
	/** The policy is to be asked. */
	#asking = false;
	/** VMs have armed timers otherwise. */
	#rearming = false;
	/** Whether they can run may have changed. */
	#changed = new Set<VcpuRecord>();

	constructor(ports: DispatcherPorts<P>) {
		this.#ports = ports;
		this.#hart = ports.board.harts[0]!;
		prepareHart(this.#hart);
	}

	/** A copy. */
	get state(): DispatcherState {
		return {
			counters: { ...this.counters },
			current: this.#current?.entity ?? -1,
			attached: this.#attached?.entity ?? -1,
			loaded: this.#loaded?.entity ?? -1,
			since: this.#since,
			left: this.#left,
			deadline: this.#deadline,
			cost: this.#cost,
			asking: this.#asking,
			rearming: this.#rearming,
			changed: Array.from(this.#changed, ({ entity }) => entity),
		};
	}

	/** What follows restores devices, and what they drive then is part of what was saved. */
	beginRestore(): void {
		this.#inside = true;
	}

	/** Takes a saved state; the entities have theirs. */
	restore(state: DispatcherState): void {
		const { entities } = this;
		this.counters = { ...state.counters };
		this.#current = entities.get(state.current);
		this.#attached = entities.get(state.attached);
		this.#loaded = entities.get(state.loaded);
		this.#since = state.since;
		this.#left = state.left;
		this.#deadline = state.deadline;
		this.#cost = state.cost;
		this.#asking = state.asking;
		this.#rearming = state.rearming;
		this.#changed = new Set(state.changed.flatMap((entity) => entities.get(entity) ?? []));
		this.#inside = false;
		if (this.#attached) vcpuOf(this.#attached).adopt(this.#hart);
	}

	/** Whose registers the hart holds. */
	get attached(): VcpuRecord | undefined {
		return this.#attached;
	}

	/** An operation is to be paid for. */
	pay(operation: keyof CostTable, units = 0): void {
		const { nanos, perUnit } = this.#ports.costs[operation];
		this.#cost += nanos + units * perUnit;
	}

	/** Somebody has computed for so many nanoseconds. */
	work(nanos: number): void {
		this.#cost += nanos;
	}

	/** Whether a virtual CPU can run may have changed. */
	changed(vcpu: VcpuRecord): void {
		this.#changed.add(vcpu);
		this.#asking = true;
		this.#kick();
	}

	/** The same of all virtual CPUs of a VM. */
	guestChanged(guest: Guest): void {
		for (const vcpu of guest.vcpus) this.changed(vcpu);
	}

	/** A VM's `nextEvent` may have changed. */
	timersChanged(): void {
		this.#rearming = true;
		this.#kick();
	}

	/** The kernel is entered. */
	enter(): void {
		const now = this.#ports.board.now();
		this.#entered = now;
		this.#inside = true;
		this.counters.entries++;
		if (this.#current) this.#current.runNanos += now - this.#left;
		else this.counters.idleNanos += now - this.#left;
	}

	/** The kernel is entered by a trap or the timer. */
	enterByTrap(): void {
		this.enter();
		this.pay(this.#attached ? 'vmExit' : 'trapEntry');
	}

	/** The timer has come: VMs' own are served, and the policy is asked. */
	timer(): void {
		this.enterByTrap();
		this.counters.timerEntries++;
		this.#deadline = undefined;
		this.#asking = true;
		const now = this.#ports.board.now();
		for (const { machine } of this.#ports.guests.values()) {
			const next = machine.nextEvent;
			if (next !== undefined && next <= now) machine.expire();
		}
		// A piece of memory is cleared: a small one, since nobody can preempt it; who has been woken comes first.
		const guest = this.#current?.guest;
		if (guest && !this.#attached && this.#changed.size === 0 && guest.machine.clear(CLEAR_PAGES))
			this.guestChanged(guest);
		this.leave('timer');
	}

	/** The kernel is left. */
	leave(reason: string): void {
		const { board, policy, trace } = this.#ports;
		const former = this.#current;
		this.#ports.leaving();
		if (former) former.guest.kernelNanos += this.#cost;
		if (this.#asking) {
			this.#spend();
			this.#ask();
		} else if (this.#rearming) this.#arm(this.#deadline);
		if (this.#attached) this.pay('vmEntry');
		// Who goes to sleep pays for the switch: else it could take time from others by waking up and sleeping again.
		const sleeper = former && !former.ready && this.entities.has(former.entity) ? former : undefined;
		if (sleeper) sleeper.guest.kernelNanos += this.#cost;
		this.#spend();
		this.#left = board.now();
		if (sleeper) {
			policy.charge(sleeper.entity, this.#left - this.#since, this.#left);
			this.#since = this.#left;
		}
		const worked = this.#left - this.#entered;
		this.counters.kernelNanos += worked;
		this.#inside = false;
		trace?.entered?.(0, reason, former?.name, this.#entered, worked);
	}

	/** Forgets a VM that is gone. */
	remove(guest: Guest): void {
		for (const { entity } of guest.vcpus) {
			this.#ports.policy.remove(entity);
			this.entities.delete(entity);
		}
		if (this.#loaded?.guest === guest) this.#loaded = undefined;
		this.forgetTranslations(guest);
	}

	/** The hart forgets translations of a VM. */
	forgetTranslations({ machine }: Guest): void {
		for (const vmid of machine.vmids) {
			this.#hart.ports.flush('gvma', undefined, BigInt(vmid));
			this.pay('translationFence');
		}
	}

	/** Something has changed: where no entry is under way, there is one as soon as can be. */
	#kick(): void {
		if (this.#inside) return;
		const { board } = this.#ports;
		this.#deadline = board.now();
		board.setTimer(this.#deadline);
	}

	/** What has been paid for passes in time. */
	#spend(): void {
		if (this.#cost > 0) this.#ports.board.charge(this.#cost);
		this.#cost = 0;
	}

	/** Tells the policy what has happened, and has it say who is next. */
	#ask(): void {
		const { board, policy, trace, guests } = this.#ports;
		const now = board.now();
		const former = this.#current;
		this.#asking = false;
		if (former && policy.charge(former.entity, now - this.#since, now)) {
			former.exhaustions++;
			trace?.exhausted?.(0, former.name, now);
		}
		this.#since = now;
		let ended = false;
		for (const vcpu of this.#changed) {
			const { machine } = vcpu.guest;
			const ready = machine.isRunnable(vcpu.index);
			if (machine.ending) ended = true;
			if (ready === vcpu.ready) continue;
			vcpu.ready = ready;
			if (ready) policy.wake(vcpu.entity, now);
			else policy.block(vcpu.entity, now);
		}
		const { entity, until } = policy.pick(now);
		const next = entity === undefined ? undefined : this.entities.get(entity);
		if (next !== former) this.#switch(former, next, now);
		else if (next) this.pay('budgetCheck');
		this.#load();
		for (const { guest } of this.#changed)
			if (guest.machine.gone && guests.has(guest.machine.name)) this.#ports.gone(guest);
		this.#changed.clear();
		// To be cleared on, from the end of this entry.
		this.#arm(next && !this.#attached ? now : until);
		if (ended) this.#ports.ended();
	}

	/** Somebody else has the hart's time. */
	#switch(former: VcpuRecord | undefined, next: VcpuRecord | undefined, now: number): void {
		this.pay('schedule');
		this.counters.contextSwitches++;
		if (former?.ready) former.preemptions++;
		this.#current = next;
		if (next) next.dispatches++;
		this.#ports.trace?.running?.(0, next?.name, now);
	}

	/** Puts the registers on the hart that belong there. */
	#load(): void {
		const next = this.#current?.guest.machine.clearing ? undefined : this.#current;
		if (next === this.#attached) return;
		if (this.#attached) vcpuOf(this.#attached).detach();
		this.#attached = next;
		if (!next) {
			idleHart(this.#hart);
			return;
		}
		if (next !== this.#loaded) {
			this.counters.worldSwitches++;
			this.pay('worldSwitch');
			this.#loaded = next;
		}
		vcpuOf(next).attach(this.#hart);
	}

	/** Sets the timer to the earlier of what the policy wants, and what VMs have armed. */
	#arm(until: number | undefined): void {
		let deadline = until;
		for (const { machine } of this.#ports.guests.values()) {
			const next = machine.nextEvent;
			if (next !== undefined && (deadline === undefined || next < deadline)) deadline = next;
		}
		this.#rearming = false;
		if (deadline === this.#deadline) return;
		this.#deadline = deadline;
		this.pay('timerProgram');
		this.#ports.board.setTimer(deadline);
	}
}

function vcpuOf({ guest, index }: VcpuRecord): Guest['machine']['vcpus'][number] {
	return guest.machine.vcpus[index]!;
}
