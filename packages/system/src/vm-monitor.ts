/**
 * The monitor of one virtual machine as a component of a microkernel: it owns the memory of its guest (a pool), and its virtual
 * CPU is a thread whose exits come to it. The same `VirtualMachine` is what a hypervisor links; here its environment is made
 * of what a protection domain may do. Run-to-completion handlers over plain state.
 */
import { type CostProfile, chargeOf } from '@partita/kernel-costs';
import type { ComponentBehaviour, ComponentEnvironment } from '@partita/microkernel';
import {
	VirtualMachine,
	type VirtualMachineOptions,
	type VirtualMachineState,
	type VmAction,
	type VmExit,
	type VmPlacement,
} from '@partita/vmm';

/** Plain state of a {@link VmMonitor}. */
export interface VmMonitorState {
	readonly placement: VmPlacement;
	readonly machine: VirtualMachineState;
	/** Virtual CPUs that the kernel has been told to run. */
	readonly running: readonly boolean[];
	readonly alarm: number | undefined;
	readonly consoleBytes: number;
}

/** Pages that are cleared at once: what others wait for at most. */
const CLEAR_PAGES = 16;

/** A virtual machine and its monitor. */
export class VmMonitor implements ComponentBehaviour {
	readonly machine: VirtualMachine;
	readonly #environment: ComponentEnvironment;
	readonly #running: boolean[];
	readonly #changed = new Set<number>();
	#alarm: number | undefined;
	#consoleBytes = 0;

	/** @param costs - what the monitor's work takes: the same rates as in a kernel */
	constructor(options: VirtualMachineOptions, costs: CostProfile, environment: ComponentEnvironment) {
		this.#environment = environment;
		this.machine = new VirtualMachine(options, {
			memory: environment.pool,
			frames: environment.pool,
			console: {
				write: (bytes) => {
					this.#consoleBytes += bytes.length;
					environment.print(bytes);
				},
				ready: () => {},
			},
			now: () => environment.now(),
			work: (work, units) => environment.work(chargeOf(costs, work, units)),
			wake: (vcpu) => {
				this.#changed.add(vcpu);
			},
			// It is looked at after every event.
			timerChanged: () => {},
		});
		this.#running = this.machine.vcpus.map(() => false);
		// At once, not in `init`: the registers of a monitor that a snapshot is restored into must be known, too.
		const { vmid } = this.machine.placement;
		this.machine.vcpus.forEach((vcpu, index) => {
			const hgatp = this.machine.memory.hgatp | (BigInt(vmid + index) << 44n);
			environment.vcpus[index]!.bind(vcpu, hgatp);
		});
	}

	get state(): VmMonitorState {
		const { machine } = this;
		return {
			placement: machine.placement,
			machine: machine.state,
			running: [...this.#running],
			alarm: this.#alarm,
			consoleBytes: this.#consoleBytes,
		};
	}

	restore(state: VmMonitorState): void {
		this.machine.place(state.placement);
		this.machine.restore(state.machine);
		state.running.forEach((running, vcpu) => {
			this.#running[vcpu] = running;
		});
		this.#alarm = state.alarm;
		this.#consoleBytes = state.consoleBytes;
	}

	/** Bytes that its guest has printed. */
	get consoleBytes(): number {
		return this.#consoleBytes;
	}

	init(): void {
		for (const { id } of this.machine.vcpus) this.#changed.add(id);
		this.#settle();
	}

	exit(vcpu: number, exit: VmExit): 'resume' | 'wait' {
		const action: VmAction = this.machine.handleExit(vcpu, exit);
		this.#running[vcpu] = action.kind === 'resume';
		this.#settle();
		return this.#running[vcpu] ? 'resume' : 'wait';
	}

	alarm(): void {
		this.#alarm = undefined;
		this.machine.expire();
		this.#settle();
	}

	/** Does what an event has left to do: memory is cleared, virtual CPUs run or do not, the alarm is set. */
	#settle(): void {
		const { machine } = this;
		while (machine.clearing) machine.clear(CLEAR_PAGES);
		for (const vcpu of this.#changed) {
			const runnable = machine.isRunnable(vcpu);
			if (runnable === this.#running[vcpu]) continue;
			this.#running[vcpu] = runnable;
			if (runnable) this.#environment.vcpus[vcpu]!.resume();
			else this.#environment.vcpus[vcpu]!.suspend();
		}
		this.#changed.clear();
		const next = machine.nextEvent;
		if (next === this.#alarm) return;
		this.#alarm = next;
		this.#environment.alarm(next);
	}
}
