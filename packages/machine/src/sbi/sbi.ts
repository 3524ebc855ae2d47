/**
 * The built-in SBI: the firmware of boots without a firmware image. It is M-mode, hosted outside the machine: the engine
 * runs with `hosted: { machine: true, supervisor: false }`, and a trap that would enter M-mode comes here.
 *
 * The calls are those of `@partita/sbi`, and PMU.
 */
import { Slot } from '@partita/cpu';
import { exceptions } from '@partita/riscv';
import { Sbi as Calls, ExtensionId, type SbiState } from '@partita/sbi';
import { A0, enterSupervisor } from './entry.ts';
import { performanceExtension } from './performance.ts';
import type { FirmwarePorts, FirmwareTrap } from './ports.ts';
import { SupervisorHart } from './supervisor-hart.ts';

const A7 = A0 + 7;

/**
 * The SBI of one machine.
 *
 * The board runs a hart only while {@link isRunning} says so, and gives {@link handleTrap} every trap exit. An ECALL does
 * not retire, but it counts towards the hart's limit and in time: a guest of nothing but calls does not stop time.
 */
export class Sbi {
	readonly #ports: FirmwarePorts;
	readonly #calls: Calls;

	constructor(ports: FirmwarePorts) {
		this.#ports = ports;
		const { harts, memory, console } = ports;
		this.#calls = new Calls(
			{
				harts: harts.map((_, id) => new SupervisorHart(harts, id)),
				hypervisor: true,
				memory,
				console,
				reset: (type, failure) => ports.reset(type, failure),
			},
			[[ExtensionId.PMU, performanceExtension(harts)]],
		);
	}

	/** A copy of the state, for a snapshot. The harts' own state is the engine's to save. */
	get state(): SbiState {
		return this.#calls.state;
	}

	/** Takes a snapshot's state. Throws `RangeError` where it is none of a machine with these harts. */
	restore(state: SbiState): void {
		this.#calls.restore(state);
	}

	/**
	 * Starts one hart in S-mode as `sbi_hart_start` would, the others are stopped. To be called after a reset too.
	 * @param bootHart its id; it finds it in a0
	 * @param pc where it starts: a physical address
	 * @param opaque what it finds in a1: the devicetree's physical address
	 */
	initialise(bootHart: number, pc: bigint, opaque: bigint): void {
		this.#calls.initialise(bootHart);
		for (const [id, hart] of this.#ports.harts.entries()) {
			const boot = id === bootHart;
			enterSupervisor(hart, id, boot ? pc : 0n, boot ? opaque : 0n);
		}
	}

	/** Whether a hart is to be run: it is not stopped. A suspended one waits, as in WFI. */
	isRunning(hart: number): boolean {
		return this.#calls.isRunning(hart);
	}

	/**
	 * Deals with a trap that would enter M-mode; afterwards the hart can be run again, if it is still running.
	 *
	 * An environment call from S-mode is an SBI call. Delegation leaves no other exception to M-mode; should there be one,
	 * S-mode takes it. M-level interrupts have no one to handle them: they are disabled.
	 * @param hart id of the hart that trapped
	 */
	handleTrap(hart: number, trap: FirmwareTrap): void {
		const { harts } = this.#ports;
		const trapped = harts[hart];
		if (trapped === undefined) throw new RangeError(`no hart ${hart}: there are ${harts.length}`);
		const { state } = trapped;
		state[Slot.reservation] = ~0n;
		if (state[Slot.privilege] === 3n) {
			// M-mode is here and not in the machine; only a damaged snapshot leads a hart there.
			this.#calls.stop(hart);
		} else if (trap.interrupt) {
			state[Slot.mie] &= ~(1n << BigInt(trap.cause));
			trapped.ports.interruptsChanged();
		} else if (trap.cause === exceptions.EnvironmentCallFromS) {
			if (this.#calls.call(hart, state.subarray(A0, A7 + 1))) state[Slot.pc] += 4n;
		} else {
			const delegation = state[Slot.medeleg];
			state[Slot.medeleg] = delegation | (1n << BigInt(trap.cause));
			trapped.enterTrap(trap.cause, false, trap.value, trap.guest);
			state[Slot.medeleg] = delegation;
		}
	}
}
