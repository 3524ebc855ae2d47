/**
 * The built-in SBI: the RISC-V Supervisor Binary Interface 2.0 for boots without a firmware image. It is M-mode, hosted
 * outside the machine: the engine runs with `hosted: { machine: true, supervisor: false }`, and a trap that would enter
 * M-mode comes here.
 *
 * Base, TIME, sPI, RFNC, HSM, SRST, DBCN, PMU and the legacy calls 0 to 3 and 8; what is not implemented answers
 * SBI_ERR_NOT_SUPPORTED. Arguments are a guest's: none of them makes a call throw, or run for long.
 */
import { Slot } from '@partita/cpu';
import { exceptions } from '@partita/riscv';
import { baseExtension } from './base.ts';
import { type Extension, ExtensionId, failure, SbiError, type SbiMachine, STARTED, STOPPED, word } from './call.ts';
import { debugConsoleExtension } from './debug-console.ts';
import { A0, enterSupervisor } from './entry.ts';
import { hartStateExtension } from './hart-state.ts';
import { ipiExtension } from './ipi.ts';
import { legacyExtensions } from './legacy.ts';
import { performanceExtension } from './performance.ts';
import type { SbiHartState, SbiPorts, SbiState, SbiTrap } from './ports.ts';
import { remoteFenceExtension } from './remote-fence.ts';
import { systemResetExtension } from './system-reset.ts';
import { timerExtension } from './timer.ts';

/** By EID. */
const extensions: ReadonlyMap<number, Extension> = new Map<number, Extension>([
	[ExtensionId.BASE, baseExtension((id) => extensions.has(id) || legacyExtensions.has(id))],
	[ExtensionId.TIME, timerExtension],
	[ExtensionId.IPI, ipiExtension],
	[ExtensionId.RFENCE, remoteFenceExtension],
	[ExtensionId.HSM, hartStateExtension],
	[ExtensionId.SRST, systemResetExtension],
	[ExtensionId.DBCN, debugConsoleExtension],
	[ExtensionId.PMU, performanceExtension],
]);

/** EIDs below this are legacy: FID and a1 are not looked at. */
const LEGACY_END = 0x10;
const A6 = A0 + 6;
const A7 = A0 + 7;

/**
 * The SBI of one machine.
 *
 * The board runs a hart only while {@link isRunning} says so, and gives {@link handleTrap} every trap exit. An ECALL does
 * not retire, but it counts towards the hart's limit and in time: a guest of nothing but calls does not stop time.
 */
export class Sbi {
	readonly #machine: SbiMachine;

	constructor(ports: SbiPorts) {
		this.#machine = { ports, harts: ports.harts.map(() => STOPPED) };
	}

	/** A copy of the state, for a snapshot. The harts' own state is the engine's to save. */
	get state(): SbiState {
		return { harts: this.#machine.harts.map((hart) => ({ ...hart })) };
	}

	/** Takes a snapshot's state. Throws `RangeError` where it is none of a machine with these harts. */
	restore(state: SbiState): void {
		const { harts } = this.#machine;
		if (!Array.isArray(state.harts) || state.harts.length !== harts.length)
			throw new RangeError(`SBI snapshot: not of a machine with ${harts.length} harts`);
		const restored = state.harts.map((hart: SbiHartState | null) => {
			if (typeof hart?.stopped !== 'boolean' || typeof hart.suspendedAt !== 'bigint')
				throw new RangeError('SBI snapshot: a hart state is damaged');
			return { stopped: hart.stopped, suspendedAt: hart.suspendedAt };
		});
		for (const [id, hart] of restored.entries()) harts[id] = hart;
	}

	/**
	 * Starts one hart in S-mode as `sbi_hart_start` would, the others are stopped. To be called after a reset too.
	 * @param bootHart its id; it finds it in a0
	 * @param pc where it starts: a physical address
	 * @param opaque what it finds in a1: the devicetree's physical address
	 */
	initialise(bootHart: number, pc: bigint, opaque: bigint): void {
		const { ports, harts } = this.#machine;
		if (harts[bootHart] === undefined) throw new RangeError(`no hart ${bootHart}: there are ${harts.length}`);
		for (const [id, hart] of ports.harts.entries()) {
			const boot = id === bootHart;
			enterSupervisor(hart, id, boot ? pc : 0n, boot ? opaque : 0n);
			harts[id] = boot ? STARTED : STOPPED;
		}
	}

	/** Whether a hart is to be run: it is not stopped. A suspended one waits, as in WFI. */
	isRunning(hart: number): boolean {
		const state = this.#machine.harts[hart];
		return state !== undefined && !state.stopped;
	}

	/**
	 * Deals with a trap that would enter M-mode; afterwards the hart can be run again, if it is still running.
	 *
	 * An environment call from S-mode is an SBI call. Delegation leaves no other exception to M-mode; should there be one,
	 * S-mode takes it. M-level interrupts have no one to handle them: they are disabled.
	 * @param hart id of the hart that trapped
	 */
	handleTrap(hart: number, trap: SbiTrap): void {
		const { ports, harts } = this.#machine;
		const trapped = ports.harts[hart];
		if (trapped === undefined) throw new RangeError(`no hart ${hart}: there are ${harts.length}`);
		const { state } = trapped;
		state[Slot.reservation] = ~0n;
		if (state[Slot.privilege] === 3n) {
			// M-mode is here and not in the machine; only a damaged snapshot leads a hart there.
			harts[hart] = STOPPED;
		} else if (trap.interrupt) {
			state[Slot.mie] &= ~(1n << BigInt(trap.cause));
			trapped.ports.interruptsChanged();
		} else if (trap.cause === exceptions.EnvironmentCallFromS) {
			this.#call(hart);
		} else {
			const delegation = state[Slot.medeleg];
			state[Slot.medeleg] = delegation | (1n << BigInt(trap.cause));
			trapped.enterTrap(trap.cause, false, trap.value, trap.guest);
			state[Slot.medeleg] = delegation;
		}
	}

	#call(hart: number): void {
		const { state } = this.#machine.ports.harts[hart];
		const id = word(state[A7]);
		if (id < LEGACY_END) {
			const legacy = legacyExtensions.get(id);
			const result = legacy === undefined ? SbiError.NOT_SUPPORTED : legacy(this.#machine, hart, state[A0]);
			if (result === undefined) return;
			state[A0] = result;
		} else {
			const extension = extensions.get(id);
			const args = Array.from(state.subarray(A0, A6));
			const result =
				extension === undefined
					? failure('NOT_SUPPORTED')
					: extension(this.#machine, { hart, function: word(state[A6]), args });
			if (result === undefined) return;
			state[A0] = result.error;
			state[A0 + 1] = result.value;
		}
		state[Slot.pc] += 4n;
	}
}
