/**
 * The RISC-V Supervisor Binary Interface 2.0: base, TIME, sPI, RFNC, HSM, SRST, DBCN and the legacy calls 0 to 3 and 8, and
 * what extensions its host adds; what is not implemented answers SBI_ERR_NOT_SUPPORTED.
 *
 * Not here: which trap is a call, and what an effect does to a hart's registers. Arguments are a guest's: none of them makes
 * a call throw, or run for long.
 */
import { baseExtension } from './base.ts';
import { type Extension, ExtensionId, failure, SbiError, type SbiMachine, STARTED, STOPPED, word } from './call.ts';
import { debugConsoleExtension } from './debug-console.ts';
import { hartStateExtension } from './hart-state.ts';
import { ipiExtension } from './ipi.ts';
import { legacyExtensions } from './legacy.ts';
import type { SbiHartState, SbiPorts, SbiState } from './ports.ts';
import { remoteFenceExtension } from './remote-fence.ts';
import { systemResetExtension } from './system-reset.ts';
import { timerExtension } from './timer.ts';

/** EIDs below this are legacy: FID and a1 are not looked at. */
const LEGACY_END = 0x10;
/** Places in a0 to a7. */
const A6 = 6;
const A7 = 7;

/** The SBI of one supervisor. */
export class Sbi {
	readonly #machine: SbiMachine;
	/** By EID. */
	readonly #extensions: ReadonlyMap<number, Extension>;

	/** @param extensions more of them, by EID */
	constructor(ports: SbiPorts, extensions: Iterable<readonly [number, Extension]> = []) {
		this.#machine = { ports, harts: ports.harts.map(() => STOPPED) };
		this.#extensions = new Map<number, Extension>([
			[ExtensionId.BASE, baseExtension((id) => this.#extensions.has(id) || legacyExtensions.has(id))],
			[ExtensionId.TIME, timerExtension],
			[ExtensionId.IPI, ipiExtension],
			[ExtensionId.RFENCE, remoteFenceExtension],
			[ExtensionId.HSM, hartStateExtension],
			[ExtensionId.SRST, systemResetExtension],
			[ExtensionId.DBCN, debugConsoleExtension],
			...extensions,
		]);
	}

	/** A copy of the state, for a snapshot. The harts' own state is the host's to save. */
	get state(): SbiState {
		return { harts: this.#machine.harts.map((hart) => ({ ...hart })) };
	}

	/** Takes a snapshot's state. Throws `RangeError` where it is none of a system with these harts. */
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

	/** One hart is started, the others are stopped. That it has the registers of a start is for the host to do. */
	initialise(bootHart: number): void {
		const { harts } = this.#machine;
		if (harts[bootHart] === undefined) throw new RangeError(`no hart ${bootHart}: there are ${harts.length}`);
		for (const id of harts.keys()) harts[id] = id === bootHart ? STARTED : STOPPED;
	}

	/** Stops a hart: it may be started again. */
	stop(hart: number): void {
		this.#machine.harts[hart] = STOPPED;
	}

	/** Whether a hart is to be run: it is not stopped. A suspended one waits, as in WFI. */
	isRunning(hart: number): boolean {
		const state = this.#machine.harts[hart];
		return state !== undefined && !state.stopped;
	}

	/**
	 * Makes a call.
	 * @param hart id of the hart that executed ECALL
	 * @param registers its a0 to a7; results are stored there
	 * @returns whether the call returns, so that the hart goes on behind the ECALL; otherwise its pc is as it is to be
	 */
	call(hart: number, registers: BigUint64Array): boolean {
		const id = word(registers[A7]);
		if (id < LEGACY_END) {
			const legacy = legacyExtensions.get(id);
			const result = legacy === undefined ? SbiError.NOT_SUPPORTED : legacy(this.#machine, hart, registers[0]);
			if (result === undefined) return false;
			registers[0] = result;
			return true;
		}
		const extension = this.#extensions.get(id);
		const args = Array.from(registers.subarray(0, A6));
		const result =
			extension === undefined
				? failure('NOT_SUPPORTED')
				: extension(this.#machine, { hart, function: word(registers[A6]), args });
		if (result === undefined) return false;
		registers[0] = result.error;
		registers[1] = result.value;
		return true;
	}
}
