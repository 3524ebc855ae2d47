/**
 * The kernel: it owns the hart, the memory and the UART, gives the hart to virtual CPUs as a policy says (dispatcher.ts), and
 * passes their exits to their monitors. Here: its entries, and how VMs come, are controlled, and go.
 *
 * Not here: what exits mean (`@partita/vmm`), policies (`@partita/sched`), prices (`@partita/kernel-costs`).
 */
import type { TrapExit } from '@partita/cpu';
import { interrupts } from '@partita/riscv';
import { type GuestMemory, MOST_VCPUS, VirtualMachine, type VmEnvironment } from '@partita/vmm';
import { guestMemory } from './board.ts';
import { checkVm, type HypervisorConfig, HypervisorError, type VmConfig } from './config.ts';
import { BoardConsole, type BoardConsolePorts } from './console.ts';
import { costTable } from './costs.ts';
import { Dispatcher } from './dispatcher.ts';
import { Doorbells } from './doorbells.ts';
import { PhysicalFrames } from './frames.ts';
import { Guest } from './guest.ts';
import type { HypervisorBoard, PartEnvironment } from './ports.ts';
import { SharedRegions } from './regions.ts';
import type { HypervisorState } from './state.ts';
import type { HypervisorStatistics } from './statistics.ts';

/** The kernel of one machine. See the file's head. */
export class Hypervisor<P> {
	readonly #board: HypervisorBoard;
	readonly #config: HypervisorConfig<P>;
	readonly #frames: PhysicalFrames;
	readonly #regions: SharedRegions;
	readonly #doorbells: Doorbells;
	readonly #console: BoardConsole | undefined;
	readonly #guests = new Map<string, Guest>();
	readonly #dispatcher: Dispatcher<P>;
	#nextEntity = 0;
	/** VMs that take console input again. */
	#reading = new Set<string>();

	/** @throws HypervisorError where the board does not have what the description needs; VmError of `@partita/vmm` */
	constructor(board: HypervisorBoard, config: HypervisorConfig<P>) {
		this.#board = board;
		this.#config = config;
		this.#dispatcher = new Dispatcher({
			board,
			policy: config.policy,
			costs: costTable(config.costs),
			trace: config.trace,
			guests: this.#guests,
			leaving: () => this.#offerInput(),
			gone: (guest) => this.#remove(guest),
			ended: () => this.#checkEnd(),
		});
		this.#frames = new PhysicalFrames(guestMemory(board, config.memory));
		this.#regions = new SharedRegions(config.regions ?? [], board.memory, this.#frames);
		this.#doorbells = new Doorbells(config.doorbells ?? [], this.#guests, (operation) =>
			this.#dispatcher.pay(operation),
		);
		if (config.console) this.#console = new BoardConsole(board, config.console, this.#consolePorts());
		for (const part of config.parts ?? []) part.link(this.#partEnvironment());
		for (const vm of config.vms) this.#add(vm);
		this.#dispatcher.leave('start');
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
			dispatcher: this.#dispatcher.state,
			reading: [...this.#reading],
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
		this.#dispatcher.beginRestore();
		this.#config.policy.restore(state.policy as never);
		this.#console?.driver.restore(state.console as never);
		for (const part of this.#config.parts ?? []) {
			if (!(part.name in state.parts)) throw new RangeError(`snapshot: it has no part ${part.name}`);
			part.restore(state.parts[part.name] as never);
		}
		const { entities } = this.#dispatcher;
		entities.clear();
		const guests = state.guests.map((saved) => {
			const guest = this.#guests.get(saved.name)!;
			guest.restore(saved);
			for (const vcpu of guest.vcpus) entities.set(vcpu.entity, vcpu);
			return guest;
		});
		// In the saved order, which decides who is looked at first.
		this.#guests.clear();
		for (const guest of guests) this.#guests.set(guest.machine.name, guest);
		this.#frames.restore(state.free);
		this.#nextEntity = state.nextEntity;
		this.#reading = new Set(state.reading);
		this.#dispatcher.restore(state.dispatcher);
	}

	/** Counters: a copy. */
	get statistics(): HypervisorStatistics {
		return { ...this.#dispatcher.counters, vms: Array.from(this.#guests.values(), ({ statistics }) => statistics) };
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
		const dispatcher = this.#dispatcher;
		const { attached } = dispatcher;
		dispatcher.enterByTrap();
		if (trap.interrupt || !attached) {
			if (trap.cause === interrupts.SupervisorExternal)
				dispatcher.counters.interrupts += this.#console?.serveInterrupts() ?? 0;
			dispatcher.leave('interrupt');
			return;
		}
		const { machine } = attached.guest;
		const action = machine.handleExit(attached.index, trap);
		if (action.kind !== 'resume') dispatcher.guestChanged(attached.guest);
		dispatcher.leave(machine.lastExit);
	}

	/** For the board: a hart without a guest waits by itself. */
	isRunning(hart: number): boolean {
		return hart === 0;
	}

	/** For the board: the time that was asked for has come. */
	timer(): void {
		this.#dispatcher.timer();
	}

	/**
	 * Makes a VM, which runs from now on.
	 * @throws HypervisorError, VmError: nothing is made then
	 */
	create(vm: VmConfig<P>): void {
		this.#dispatcher.enter();
		try {
			this.#add(vm);
		} finally {
			this.#dispatcher.leave('control');
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
			this.#dispatcher.forgetTranslations(guest);
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

	#guest(vm: string): Guest {
		const guest = this.#guests.get(vm);
		if (!guest) throw new RangeError(`there is no VM ${JSON.stringify(vm)}`);
		return guest;
	}

	/** Something from outside is done to a VM. */
	#operate(guest: Guest, operation: () => void): void {
		this.#dispatcher.enter();
		try {
			operation();
		} finally {
			this.#dispatcher.guestChanged(guest);
			this.#dispatcher.leave('control');
		}
	}

	/** Gives back what a VM had that is gone. */
	#remove(guest: Guest): void {
		this.#dispatcher.remove(guest);
		this.#console?.driver.removeClient(guest.id);
		this.#guests.delete(guest.machine.name);
		guest.machine.free();
	}

	/** Drivers have input for VMs that had refused it. */
	#offerInput(): void {
		if (this.#reading.size === 0) return;
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
		for (const vcpu of guest.vcpus) this.#dispatcher.entities.set(vcpu.entity, vcpu);
		this.#guests.set(name, guest);
		this.#dispatcher.guestChanged(guest);
	}

	#partEnvironment(): PartEnvironment {
		return {
			now: () => this.#board.now(),
			work: (nanos) => this.#dispatcher.work(nanos),
		};
	}

	#consolePorts(): BoardConsolePorts {
		return {
			pay: (operation, units) => this.#dispatcher.pay(operation, units),
			spend: (nanos) => this.#dispatcher.work(nanos),
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
						this.#dispatcher.pay('deviceAccess', bytes.length);
						board.console.write(bytes);
					}
				},
				ready: () => {
					this.#reading.add(name);
				},
			},
			now: () => board.now(),
			work: (work, units) => this.#dispatcher.pay(work, units),
			wake: (vcpu) => {
				const guest = this.#guests.get(name);
				if (guest) this.#dispatcher.changed(guest.vcpus[vcpu]!);
			},
			timerChanged: () => this.#dispatcher.timersChanged(),
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
