/**
 * What calls of the SBI do to a hart of the machine: the supervisor is S-mode (HS-mode), with Sstc.
 */
import { Slot } from '@partita/cpu';
import { csrFields } from '@partita/riscv';
import type { SbiFence, SbiHart } from '@partita/sbi';
import { enterSupervisor, resumeSupervisor } from './entry.ts';
import type { FirmwareHart } from './ports.ts';

const { SSI: SSIP } = csrFields.interruptBits;
const { VMID } = csrFields.hgatp;

/** A hart in the hands of the SBI. */
export class SupervisorHart implements SbiHart {
	readonly #harts: readonly FirmwareHart[];
	readonly #id: number;

	constructor(harts: readonly FirmwareHart[], id: number) {
		this.#harts = harts;
		this.#id = id;
	}

	get #hart(): FirmwareHart {
		return this.#harts[this.#id];
	}

	get retired(): bigint {
		return this.#hart.state[Slot.retired];
	}

	get waiting(): boolean {
		return this.#hart.state[Slot.waiting] !== 0n;
	}

	setTimer(time: bigint): void {
		this.#hart.state[Slot.stimecmp] = time;
		this.#hart.ports.timerChanged();
	}

	raiseSoftware(): void {
		this.#hart.state[Slot.mip] |= SSIP;
		this.#hart.ports.interruptsChanged();
	}

	clearSoftware(): boolean {
		const { state, ports } = this.#hart;
		const pending = (state[Slot.mip] & SSIP) !== 0n;
		state[Slot.mip] &= ~SSIP;
		ports.interruptsChanged();
		return pending;
	}

	fence({ kind, address, id, caller }: SbiFence): void {
		const { state, ports } = this.#hart;
		// HFENCE.VVMA is for the VMID of the hart that executes it; it is the caller's that is meant.
		const hgatp = state[Slot.hgatp];
		if (kind === 'vvma') state[Slot.hgatp] = (hgatp & ~VMID) | (this.#harts[caller].state[Slot.hgatp] & VMID);
		ports.flush(kind, address, id);
		state[Slot.hgatp] = hgatp;
	}

	start(pc: bigint, opaque: bigint): void {
		enterSupervisor(this.#hart, this.#id, pc, opaque);
	}

	suspend(resume: { readonly pc: bigint; readonly opaque: bigint } | undefined): void {
		this.#hart.state[Slot.waiting] = 1n;
		if (resume) resumeSupervisor(this.#hart, this.#id, resume.pc, resume.opaque);
	}
}
