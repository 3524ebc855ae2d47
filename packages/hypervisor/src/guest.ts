/** A VM and its virtual CPUs as the kernel keeps them at run time. */
import type { VirtualMachine } from '@partita/vmm';
import type { GuestState, VcpuRecordState } from './state.ts';
import type { VmStatistics } from './statistics.ts';

/** A virtual CPU. */
export interface VcpuRecord {
	/** The VM's, and its own number where there are several. */
	readonly name: string;
	readonly guest: Guest;
	/** Its place in the VM. */
	readonly index: number;
	entity: number;
	ready: boolean;
	runNanos: number;
	dispatches: number;
	preemptions: number;
	exhaustions: number;
}

/** A VM. */
export class Guest {
	id: number;
	readonly machine: VirtualMachine;
	readonly vcpus: readonly VcpuRecord[];
	kernelNanos = 0;
	consoleBytes = 0;
	signals = 0;
	signalsDenied = 0;

	constructor(id: number, machine: VirtualMachine) {
		this.id = id;
		this.machine = machine;
		this.vcpus = machine.vcpus.map(
			(_, index, all): VcpuRecord => ({
				name: all.length > 1 ? `${machine.name}/${index}` : machine.name,
				guest: this,
				index,
				entity: -1,
				ready: false,
				runNanos: 0,
				dispatches: 0,
				preemptions: 0,
				exhaustions: 0,
			}),
		);
	}

	get state(): GuestState {
		const { id, machine, kernelNanos, consoleBytes, signals, signalsDenied } = this;
		return {
			id,
			name: machine.name,
			placement: machine.placement,
			machine: machine.state,
			vcpus: this.vcpus.map(
				({ entity, ready, runNanos, dispatches, preemptions, exhaustions }): VcpuRecordState => ({
					entity,
					ready,
					runNanos,
					dispatches,
					preemptions,
					exhaustions,
				}),
			),
			kernelNanos,
			consoleBytes,
			signals,
			signalsDenied,
		};
	}

	/** Takes a saved state; no virtual CPU is on a hart then. */
	restore(state: GuestState): void {
		if (state.vcpus.length !== this.vcpus.length)
			throw new RangeError(`snapshot of VM ${this.machine.name}: other virtual CPUs`);
		this.id = state.id;
		this.machine.place(state.placement);
		this.machine.restore(state.machine);
		this.vcpus.forEach((vcpu, index) => {
			Object.assign(vcpu, state.vcpus[index]);
		});
		this.kernelNanos = state.kernelNanos;
		this.consoleBytes = state.consoleBytes;
		this.signals = state.signals;
		this.signalsDenied = state.signalsDenied;
	}

	get statistics(): VmStatistics {
		const { machine, kernelNanos, consoleBytes, signals, signalsDenied, vcpus } = this;
		let status: VmStatistics['status'] = machine.paused ? 'paused' : 'waiting';
		if (vcpus.some(({ index }) => machine.isRunnable(index))) status = 'ready';
		if (machine.ending) status = 'ended';
		if (machine.clearing) status = 'clearing';
		return {
			name: machine.name,
			status,
			ending: machine.ending,
			exits: { ...machine.exits },
			runNanos: vcpus.reduce((sum, { runNanos }) => sum + runNanos, 0),
			kernelNanos,
			consoleBytes,
			signals,
			signalsDenied,
			memory: machine.memory.size,
			restarts: machine.restarts,
			vcpus: vcpus.map(({ runNanos, dispatches, preemptions, exhaustions }) => ({
				hart: 0,
				runNanos,
				dispatches,
				preemptions,
				exhaustions,
			})),
		};
	}
}
