/**
 * The kernel: it owns the hart, the memory and the UART, gives the hart to virtual CPUs as a policy says, and passes their
 * exits to their monitors. Entry by entry:
 *
 * ```
 * enter     the guest's time is counted
 * …         exit, interrupt, timer, control: monitors and drivers work, and each step is paid for
 * leave     the price passes in virtual time, charged to who caused it; where anything has changed, the policy is asked
 *           who is next; its registers are put on the hart, at the price of whoever is next
 * ```
 * Time stands still between enter and leave. An exit after which the same guest goes on does not ask the policy: its timer
 * says when it must be.
 *
 * Not here: what exits mean (`@partita/vmm`), policies (`@partita/sched`), prices (`@partita/kernel-costs`).
 */
import type { TrapExit } from '@partita/cpu';
import { interrupts } from '@partita/riscv';
import { type GuestMemory, MOST_VCPUS, VirtualMachine, type VmEnvironment } from '@partita/vmm';
import { guestMemory } from './board.ts';
import { checkVm, type HypervisorConfig, HypervisorError, type VmConfig } from './config.ts';
import { BoardConsole, type BoardConsolePorts } from './console.ts';
import { type CostTable, costTable } from './costs.ts';
import { Doorbells } from './doorbells.ts';
import { PhysicalFrames } from './frames.ts';
import { Guest, type VcpuRecord } from './guest.ts';
import { idleHart, prepareHart } from './host-hart.ts';
import type { HypervisorBoard, PartEnvironment } from './ports.ts';
import { SharedRegions } from './regions.ts';
import type { HypervisorState } from './state.ts';
import { type HypervisorCounters, type HypervisorStatistics, newCounters } from './statistics.ts';

/** Pages that are cleared in one entry: about 10 us on the U54. */
const CLEAR_PAGES = 16;

/** The kernel of one machine. See the file's head. */
export class Hypervisor<P> {
	readonly #board: HypervisorBoard;
	readonly #config: HypervisorConfig<P>;
	readonly #costs: CostTable;
	readonly #frames: PhysicalFrames;
	readonly #regions: SharedRegions;
	readonly #doorbells: Doorbells;
	readonly #console: BoardConsole | undefined;
	readonly #guests = new Map<string, Guest>();
	readonly #entities = new Map<number, VcpuRecord>();
	#counters: HypervisorCounters = newCounters();
	#nextEntity = 0;
	/** Who has the hart's time. */
	#current: VcpuRecord | undefined;
	/** Whose registers the hart holds: not while its monitor clears memory. */
	#attached: VcpuRecord | undefined;
	/** Whose it held last. */
	#loaded: VcpuRecord | undefined;
	#since = 0;
	#left = 0;
	#deadline: number | undefined;
	/** Of the present entry. */
	#cost = 0;
	#entered = 0;
	/** Between enter and leave. What comes from outside then (a back end that answers) makes an entry of its own. */
	#inside = true;
	#asking = false;
	#rearming = false;
	/** Whether they can run may have changed. */
	#changed = new Set<VcpuRecord>();
	/** VMs that take console input again. */
	#reading = new Set<string>();

	/** @throws HypervisorError where the board does not have what the description needs; VmError of `@partita/vmm` */
	constructor(board: HypervisorBoard, config: HypervisorConfig<P>) {
		this.#board = board;
		this.#config = config;
		this.#costs = costTable(config.costs);
		prepareHart(board.harts[0]!);
		this.#frames = new PhysicalFrames(guestMemory(board, config.memory));
		this.#regions = new SharedRegions(config.regions ?? [], board.memory, this.#frames);
		this.#doorbells = new Doorbells(config.doorbells ?? [], this.#guests, (operation) => this.#pay(operation));
		if (config.console) this.#console = new BoardConsole(board, config.console, this.#consolePorts());
		for (const part of config.parts ?? []) part.link(this.#partEnvironment());
		for (const vm of config.vms) this.#add(vm);
		this.#leave('start');
	}

	/** A copy of the state. The hart's words, memory and devices are the board's to save. */
	get state(): HypervisorState {
		return {
			guests: Array.from(this.#guests.values(), (guest) => guest.state),
			nextEntity: this.#nextEntity,
			free: this.#frames.state,
			policy: this.#config.policy.state,
			console: this.#console?.driver.state,
			parts: Object.fromEntries((this.#config.parts ?? []).map(({ name, state }) => [name, state])),
			counters: { ...this.#counters },
			current: this.#current?.entity ?? -1,
			attached: this.#attached?.entity ?? -1,
			loaded: this.#loaded?.entity ?? -1,
			since: this.#since,
			left: this.#left,
			deadline: this.#deadline,
			pending: {
				cost: this.#cost,
				asking: this.#asking,
				rearming: this.#rearming,
				changed: Array.from(this.#changed, ({ entity }) => entity),
				reading: [...this.#reading],
			},
		};
	}

	/**
	 * Takes a saved state of a kernel with VMs of the same names and descriptions.
	 * @throws RangeError where it is another's
	 */
	restore(state: HypervisorState): void {
		const names = state.guests.map(({ name }) => name);
		if (names.length !== this.#guests.size || names.some((name) => !this.#guests.has(name)))
			throw new RangeError(
				`snapshot: it holds the VMs ${names.join(', ')}, not ${[...this.#guests.keys()].join(', ')}`,
			);
		// What devices drive while they are restored is part of what was saved.
		this.#inside = true;
		this.#config.policy.restore(state.policy as never);
		this.#console?.driver.restore(state.console as never);
		for (const part of this.#config.parts ?? []) {
			if (!(part.name in state.parts)) throw new RangeError(`snapshot: it has no part ${part.name}`);
			part.restore(state.parts[part.name] as never);
		}
		this.#entities.clear();
		const guests = state.guests.map((saved) => {
			const guest = this.#guests.get(saved.name)!;
			guest.restore(saved);
			for (const vcpu of guest.vcpus) this.#entities.set(vcpu.entity, vcpu);
			return guest;
		});
		// In the saved order, which decides who is looked at first.
		this.#guests.clear();
		for (const guest of guests) this.#guests.set(guest.machine.name, guest);
		this.#frames.restore(state.free);
		this.#nextEntity = state.nextEntity;
		this.#counters = { ...state.counters };
		this.#current = this.#entities.get(state.current);
		this.#attached = this.#entities.get(state.attached);
		this.#loaded = this.#entities.get(state.loaded);
		this.#since = state.since;
		this.#left = state.left;
		this.#deadline = state.deadline;
		const { cost, asking, rearming, changed, reading } = state.pending;
		this.#cost = cost;
		this.#asking = asking;
		this.#rearming = rearming;
		this.#changed = new Set(changed.flatMap((entity) => this.#entities.get(entity) ?? []));
		this.#reading = new Set(reading);
		this.#inside = false;
		if (this.#attached) this.#vcpu(this.#attached).adopt(this.#hart);
	}

	/** Counters: a copy. */
	get statistics(): HypervisorStatistics {
		return { ...this.#counters, vms: Array.from(this.#guests.values(), ({ statistics }) => statistics) };
	}

	/** The memory of a VM, by guest physical address. */
	memory(vm: string): GuestMemory {
		return this.#guest(vm).machine.memory;
	}

	/** Copies from a shared region; false where part of the range is not in it. */
	readRegion(region: string, offset: number, into: Uint8Array): boolean {
		return this.#regions.read(region, offset, into);
	}

	/** For the board: a guest left, or an interrupt is pending. */
	handleTrap(_hart: number, trap: TrapExit): void {
		const current = this.#attached;
		this.#enter();
		this.#pay(current ? 'vmExit' : 'trapEntry');
		if (trap.interrupt || !current) {
			if (trap.cause === interrupts.SupervisorExternal)
				this.#counters.interrupts += this.#console?.serveInterrupts() ?? 0;
			this.#leave('interrupt');
			return;
		}
		const { machine } = current.guest;
		const action = machine.handleExit(current.index, trap);
		if (action.kind !== 'resume') this.#change(current.guest);
		this.#leave(machine.lastExit);
	}

	/** For the board: a hart without a guest waits by itself. */
	isRunning(hart: number): boolean {
		return hart === 0;
	}

	/** For the board: the time that was asked for has come. */
	timer(): void {
		this.#enter();
		this.#counters.timerEntries++;
		this.#deadline = undefined;
		this.#pay(this.#attached ? 'vmExit' : 'trapEntry');
		this.#asking = true;
		const now = this.#board.now();
		for (const { machine } of this.#guests.values()) {
			const next = machine.nextEvent;
			if (next !== undefined && next <= now) machine.expire();
		}
		// Who has been woken comes first.
		if (this.#current && !this.#attached && this.#changed.size === 0) this.#clear(this.#current.guest);
		this.#leave('timer');
	}

	/**
	 * Makes a VM, which runs from now on.
	 * @throws HypervisorError, VmError: nothing is made then
	 */
	create(vm: VmConfig<P>): void {
		this.#enter();
		try {
			this.#add(vm);
		} finally {
			this.#leave('control');
		}
	}

	/** Ends a VM. Once its memory has been cleared, with its own processor time, all that it had is given back. */
	destroy(vm: string): void {
		const guest = this.#guest(vm);
		this.#operate(guest, () => guest.machine.dispose());
	}

	/** A VM is not run until {@link resume}; its time goes on. */
	pause(vm: string): void {
		const guest = this.#guest(vm);
		this.#operate(guest, () => guest.machine.pause());
	}

	/** A paused VM goes on. */
	resume(vm: string): void {
		const guest = this.#guest(vm);
		this.#operate(guest, () => guest.machine.resume());
	}

	/** A VM ends now. */
	stop(vm: string, detail?: string): void {
		const guest = this.#guest(vm);
		this.#operate(guest, () => guest.machine.stop(detail));
	}

	/** A VM starts again, even if it had ended. */
	reset(vm: string): void {
		const guest = this.#guest(vm);
		this.#operate(guest, () => guest.machine.reset());
	}

	/** Takes a shared region away from a VM: its accesses are faults from now on. @returns false where it does not have it */
	unshare(vm: string, region: string): boolean {
		const guest = this.#guest(vm);
		let had = false;
		this.#operate(guest, () => {
			had = guest.machine.unshare(region);
			this.#forget(guest);
		});
		return had;
	}

	/** Schedules a VM's virtual CPUs otherwise from now on. Throws the policy's error for parameters that cannot be. */
	schedule(vm: string, parameters: P): void {
		const guest = this.#guest(vm);
		this.#operate(guest, () => {
			for (const { entity } of guest.vcpus) this.#config.policy.change(entity, parameters, this.#board.now());
		});
	}

	/**
	 * Console input for a VM, beside what the console driver gives it.
	 * @returns how many bytes were taken, from the front
	 */
	receive(vm: string, bytes: Uint8Array): number {
		const guest = this.#guest(vm);
		let taken = 0;
		this.#operate(guest, () => {
			taken = guest.machine.receive(bytes);
		});
		return taken;
	}

	get #hart(): HypervisorBoard['harts'][number] {
		return this.#board.harts[0]!;
	}

	#vcpu({ guest, index }: VcpuRecord): VirtualMachine['vcpus'][number] {
		return guest.machine.vcpus[index]!;
	}

	#guest(vm: string): Guest {
		const guest = this.#guests.get(vm);
		if (!guest) throw new RangeError(`there is no VM ${JSON.stringify(vm)}`);
		return guest;
	}

	#pay(operation: keyof CostTable, units = 0): void {
		const { nanos, perUnit } = this.#costs[operation];
		this.#cost += nanos + units * perUnit;
	}

	/** Something from outside is done to a VM. */
	#operate(guest: Guest, operation: () => void): void {
		this.#enter();
		operation();
		this.#change(guest);
		this.#leave('control');
	}

	/** Whether a VM's virtual CPUs can run may have changed. */
	#change(guest: Guest): void {
		for (const vcpu of guest.vcpus) this.#changed.add(vcpu);
		this.#asking = true;
	}

	#enter(): void {
		const now = this.#board.now();
		this.#entered = now;
		this.#inside = true;
		this.#counters.entries++;
		if (this.#current) this.#current.runNanos += now - this.#left;
		else this.#counters.idleNanos += now - this.#left;
	}

	#leave(reason: string): void {
		const { trace } = this.#config;
		const former = this.#current;
		if (this.#reading.size > 0) this.#offerInput();
		if (former) former.guest.kernelNanos += this.#cost;
		if (this.#asking) {
			this.#spend();
			this.#ask();
		} else if (this.#rearming) this.#arm(this.#deadline);
		if (this.#attached) this.#pay('vmEntry');
		this.#spend();
		this.#left = this.#board.now();
		const worked = this.#left - this.#entered;
		this.#counters.kernelNanos += worked;
		this.#inside = false;
		trace?.entered?.(0, reason, former?.name, this.#entered, worked);
	}

	/** Something has changed: where no entry is under way, there is one as soon as can be. */
	#kick(): void {
		if (this.#inside) return;
		this.#deadline = this.#board.now();
		this.#board.setTimer(this.#deadline);
	}

	/** A piece of a VM's memory is cleared: small, since nobody can preempt it. */
	#clear(guest: Guest): void {
		if (guest.machine.clear(CLEAR_PAGES)) this.#change(guest);
	}

	/** Forgets a VM that is gone; none of its virtual CPUs is on the hart. */
	#remove(guest: Guest): void {
		for (const { entity } of guest.vcpus) {
			this.#config.policy.remove(entity);
			this.#entities.delete(entity);
		}
		if (this.#loaded?.guest === guest) this.#loaded = undefined;
		this.#console?.driver.removeClient(guest.id);
		this.#guests.delete(guest.machine.name);
		guest.machine.free();
		this.#forget(guest);
	}

	/** The hart forgets translations of a VM. */
	#forget(guest: Guest): void {
		for (const vmid of guest.machine.vmids) {
			this.#hart.ports.flush('gvma', undefined, BigInt(vmid));
			this.#pay('translationFence');
		}
	}

	/** What has been paid for passes in time. */
	#spend(): void {
		if (this.#cost > 0) this.#board.charge(this.#cost);
		this.#cost = 0;
	}

	/** Tells the policy what has happened, and has it say who is next. */
	#ask(): void {
		const { policy, trace } = this.#config;
		const now = this.#board.now();
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
		const next = entity === undefined ? undefined : this.#entities.get(entity);
		if (next !== former) this.#switch(former, next, now);
		else if (next) this.#pay('budgetCheck');
		this.#load();
		for (const { guest } of this.#changed)
			if (guest.machine.gone && this.#guests.has(guest.machine.name)) this.#remove(guest);
		this.#changed.clear();
		// To be cleared on, from the end of this entry.
		this.#arm(next && !this.#attached ? now : until);
		if (ended) this.#checkEnd();
	}

	/** Somebody else has the hart's time. */
	#switch(former: VcpuRecord | undefined, next: VcpuRecord | undefined, now: number): void {
		this.#pay('schedule');
		this.#counters.contextSwitches++;
		if (former?.ready) former.preemptions++;
		this.#current = next;
		if (next) next.dispatches++;
		this.#config.trace?.running?.(0, next?.name, now);
	}

	/** Puts the registers on the hart that belong there. */
	#load(): void {
		const next = this.#current?.guest.machine.clearing ? undefined : this.#current;
		if (next === this.#attached) return;
		if (this.#attached) this.#vcpu(this.#attached).detach();
		this.#attached = next;
		if (!next) {
			idleHart(this.#hart);
			return;
		}
		if (next !== this.#loaded) {
			this.#counters.worldSwitches++;
			this.#pay('worldSwitch');
			this.#loaded = next;
		}
		this.#vcpu(next).attach(this.#hart);
	}

	/** Sets the timer to the earlier of what the policy wants, and what VMs have armed. */
	#arm(until: number | undefined): void {
		let deadline = until;
		for (const { machine } of this.#guests.values()) {
			const next = machine.nextEvent;
			if (next !== undefined && (deadline === undefined || next < deadline)) deadline = next;
		}
		this.#rearming = false;
		if (deadline === this.#deadline) return;
		this.#deadline = deadline;
		this.#pay('timerProgram');
		this.#board.setTimer(deadline);
	}

	/** Drivers have input for VMs that had refused it. */
	#offerInput(): void {
		const names = [...this.#reading];
		this.#reading.clear();
		for (const name of names) {
			const guest = this.#guests.get(name);
			if (guest) this.#console?.driver.resume(guest.id);
		}
	}

	/** Whether anybody is left. */
	#checkEnd(): void {
		if (this.#config.whenAllEnded === 'stay') return;
		let code = 0;
		for (const { machine } of this.#guests.values()) {
			if (!machine.ending) return;
			code ||= machine.ending.code;
		}
		this.#board.end({ reason: 'power-off', code });
	}

	#add(vm: VmConfig<P>): void {
		const { policy } = this.#config;
		const { name, schedule } = vm;
		if (name === '' || this.#guests.has(name))
			throw new HypervisorError('name', `${JSON.stringify(name)} is empty, or taken`);
		checkVm(name, vm, this.#config);
		const taken = new Set(Array.from(this.#guests.values(), ({ id }) => id));
		let id = 0;
		while (taken.has(id)) id++;
		const first = this.#nextEntity;
		const entities: number[] = [];
		let machine: VirtualMachine;
		try {
			for (let entity = first; entity < first + (vm.vcpus ?? 1); entity++) {
				refusing(`${name}.schedule`, () => policy.add(entity, schedule, this.#board.now()));
				entities.push(entity);
			}
			refusing(`${name}.name`, () => this.#console?.driver.addClient(id, name));
			machine = new VirtualMachine(
				{
					...vm,
					vmid: 1 + id * MOST_VCPUS,
					shared: this.#regions.shown(vm.share ?? []),
					devices: [...(vm.devices ?? []), ...this.#doorbells.devices(vm)],
				},
				this.#environment(name),
			);
		} catch (error) {
			this.#console?.driver.removeClient(id);
			for (const entity of entities) policy.remove(entity);
			throw error;
		}
		const guest = new Guest(id, machine);
		for (const vcpu of guest.vcpus) vcpu.entity = first + vcpu.index;
		this.#nextEntity = first + guest.vcpus.length;
		for (const vcpu of guest.vcpus) this.#entities.set(vcpu.entity, vcpu);
		this.#guests.set(name, guest);
		this.#change(guest);
	}

	#partEnvironment(): PartEnvironment {
		return {
			now: () => this.#board.now(),
			work: (nanos) => {
				this.#cost += nanos;
			},
		};
	}

	#consolePorts(): BoardConsolePorts {
		return {
			pay: (operation, units) => this.#pay(operation, units),
			spend: (nanos) => {
				this.#cost += nanos;
			},
			deliver: (client, bytes) => {
				for (const guest of this.#guests.values()) if (guest.id === client) return guest.machine.receive(bytes);
				return bytes.length;
			},
		};
	}

	#environment(name: string): VmEnvironment {
		const board = this.#board;
		const { onConsole } = this.#config;
		return {
			memory: board.memory,
			frames: this.#frames,
			console: {
				write: (bytes) => {
					const guest = this.#guests.get(name)!;
					guest.consoleBytes += bytes.length;
					onConsole?.(name, bytes);
					if (this.#console) this.#console.driver.write(guest.id, bytes);
					else {
						this.#pay('deviceAccess', bytes.length);
						board.console.write(bytes);
					}
				},
				ready: () => {
					this.#reading.add(name);
				},
			},
			now: () => board.now(),
			work: (work, units) => this.#pay(work, units),
			wake: (vcpu) => {
				const guest = this.#guests.get(name);
				if (guest) this.#changed.add(guest.vcpus[vcpu]!);
				this.#asking = true;
				this.#kick();
			},
			timerChanged: () => {
				this.#rearming = true;
				this.#kick();
			},
		};
	}
}

/** Says where in the description it was that somebody else refused. */
function refusing(place: string, action: () => void): void {
	try {
		action();
	} catch (error) {
		throw new HypervisorError(place, error instanceof Error ? error.message : String(error));
	}
}
