// The least that can host a VM: a kernel that has one VM, whose virtual CPU 0 is on the hart, or waits.
import { type Hart, resetState, Slot, type TrapExit } from '@partita/cpu';
import { type HostedKernel, type KernelBoard, Machine, type RunResult } from '@partita/machine';
import { assemble, csrFields } from '@partita/riscv';
import {
	type MonitorWork,
	VirtualMachine,
	type VirtualMachineOptions,
	type VmAction,
	type VmEnvironment,
} from '../../src/index.ts';

export const BASE = 0x8000_0000;
export const MEMORY = 1 << 20;
/** Physical memory that is handed out: the upper half, so that guest and host addresses differ. */
const POOL = 0x80_0000;
const { STCE } = csrFields.envcfg;
const { SSI, STI, SEI, VSSI, VSTI, VSEI } = csrFields.interruptBits;

/** A kernel for one VM. */
export class Host implements HostedKernel {
	readonly board: KernelBoard;
	readonly machine: VirtualMachine;
	readonly state = undefined;
	readonly work = new Map<MonitorWork, number>();
	readonly actions: VmAction[] = [];
	printed = '';
	ready = 0;
	#next = BASE + POOL;

	constructor(board: KernelBoard, options: Partial<VirtualMachineOptions> & Pick<VirtualMachineOptions, 'boot'>) {
		this.board = board;
		const environment: VmEnvironment = {
			memory: board.memory,
			frames: {
				allocate: (bytes, alignment) => {
					const address = Math.ceil(this.#next / alignment) * alignment;
					if (!board.memory.contains(address, bytes)) return undefined;
					this.#next = address + bytes;
					return address;
				},
				free: () => {},
			},
			console: {
				write: (bytes) => {
					this.printed += new TextDecoder().decode(bytes);
				},
				ready: () => {
					this.ready++;
				},
			},
			now: () => board.now(),
			work: (work) => {
				this.work.set(work, (this.work.get(work) ?? 0) + 1);
			},
			wake: () => this.#run(),
			timerChanged: () => board.setTimer(this.machine.nextEvent),
		};
		prepare(this.hart);
		this.machine = new VirtualMachine(
			{ name: 'guest', vmid: 5, memory: { base: BASE, size: MEMORY }, ...options },
			environment,
		);
		this.#run();
	}

	get hart(): Hart {
		return this.board.harts[0]!;
	}

	restore(): void {}

	handleTrap(_hart: number, trap: TrapExit): void {
		const action = this.machine.handleExit(0, trap);
		this.actions.push(action);
		if (action.kind !== 'resume') this.machine.vcpus[0]!.detach();
		if (action.kind === 'clear') while (!this.machine.clear(16));
		if (action.kind === 'stopped') this.board.end({ reason: 'power-off', code: action.ending.code });
		this.board.setTimer(this.machine.nextEvent);
	}

	isRunning(): boolean {
		return this.machine.isRunnable(0) && this.machine.vcpus[0]!.attached;
	}

	timer(): void {
		this.machine.expire();
		this.board.setTimer(this.machine.nextEvent);
	}

	#run(): void {
		const vcpu = this.machine.vcpus[0]!;
		if (this.machine.isRunnable(0) && !vcpu.attached) vcpu.attach(this.hart);
	}
}

function prepare(hart: Hart): void {
	const { state } = hart;
	resetState(state, 0);
	state[Slot.medeleg] = 0xf0_b7ffn;
	state[Slot.mideleg]! |= SSI | STI | SEI | VSSI | VSTI | VSEI;
	state[Slot.mcounteren] = 7n;
	state[Slot.menvcfg] = STCE;
	state[Slot.pmpcfg] = 0x1fn;
	state[Slot.pmpaddr] = (1n << 54n) - 1n;
	hart.stateChanged();
}

/** A guest in assembly, at the start of its memory. */
export function host(source: string, options: Partial<VirtualMachineOptions> = {}): { host: Host; machine: Machine } {
	const { bytes } = assemble(source, { base: BigInt(BASE) });
	let made: Host | undefined;
	const machine = new Machine({
		memory: 16 << 20,
		kernel: {
			hosted: { machine: true, supervisor: true },
			create: (board) => {
				made = new Host(board, { boot: { parts: [{ address: BASE, bytes }], entry: BASE }, ...options });
				return made;
			},
		},
	});
	return { host: made!, machine };
}

/** The same, run. */
export function run(
	source: string,
	options: Partial<VirtualMachineOptions> = {},
	instructions = 100_000,
): { host: Host; machine: Machine; result: RunResult } {
	const made = host(source, options);
	const result = made.machine.run(instructions);
	return { ...made, result };
}

/** A register of the guest. */
export function x(host: Host, register: number): bigint {
	return host.machine.vcpus[0]!.words[Slot.x + register]!;
}
