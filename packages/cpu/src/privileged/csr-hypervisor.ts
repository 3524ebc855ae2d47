/**
 * Definitions of the hypervisor CSRs and of the VS CSRs.
 * RISC-V Privileged ISA, Hypervisor extension, "Hypervisor and Virtual Supervisor CSRs"; Sstc.
 */

import { csrFields, csrNumbers } from '@partita/riscv';
import { Slot } from '../state.ts';
import { type CsrTable, interruptMask, readOnly, storage, trapVector } from './csr-definition.ts';
import {
	addressTranslation,
	COUNTER_ENABLE_MASK,
	ENVCFG_COMMON,
	EPC_MASK,
	environmentConfig,
	timerCompare,
	translationModeSupported,
} from './csr-supervisor.ts';
import { EnvironmentConfig, HypervisorStatus } from './fields.ts';
import type { PrivilegedHart } from './hart.ts';
import { HYPERVISOR_INTERRUPTS, pendingBits, updateTimerLines, VIRTUAL_SUPERVISOR_INTERRUPTS } from './interrupts.ts';
import { writeVsstatus } from './status.ts';

const INTERRUPTS = BigInt(HYPERVISOR_INTERRUPTS);
const VS_INTERRUPTS = BigInt(VIRTUAL_SUPERVISOR_INTERRUPTS);
const VSSIP = csrFields.interruptBits.VSSI;
/** Bits of hedeleg that "must be writable", as far as the exception exists here: 0 to 8, 12, 13, 15. */
const HEDELEG_WRITABLE = 0xb1ffn;
const HSTATUS_WRITABLE =
	HypervisorStatus.GVA |
	HypervisorStatus.SPV |
	HypervisorStatus.SPVP |
	HypervisorStatus.HU |
	HypervisorStatus.VTVM |
	HypervisorStatus.VTW |
	HypervisorStatus.VTSR;
const HGATP_MODE = csrFields.hgatp.MODE;
/** The lowest two bits of PPN read as zeros, as the root table is aligned to 16 KiB. */
const HGATP_FIELDS = csrFields.hgatp.VMID | (csrFields.hgatp.PPN & ~3n);

function writeHstatus({ state, ports, guestExternalInterrupts }: PrivilegedHart, value: bigint): void {
	const before = state[Slot.hstatus];
	// VGEIN is WLRL: a number past GEILEN leaves it as it was.
	const vgein = (value & HypervisorStatus.VGEIN) >> 12n;
	const mask = vgein <= BigInt(guestExternalInterrupts) ? HSTATUS_WRITABLE | HypervisorStatus.VGEIN : HSTATUS_WRITABLE;
	const after = (before & ~mask) | (value & mask);
	if (after === before) return;
	state[Slot.hstatus] = after;
	ports.contextChanged();
	ports.interruptsChanged();
}

function writeHgatp({ state, ports }: PrivilegedHart, value: bigint): void {
	// Unlike satp's, an unsupported MODE is no reason to ignore the rest of the write.
	const mode = (translationModeSupported(value) ? value : state[Slot.hgatp]) & HGATP_MODE;
	state[Slot.hgatp] = mode | (value & HGATP_FIELDS);
	ports.contextChanged();
}

function writeHenvcfg(hart: PrivilegedHart, value: bigint): void {
	const { state, ports } = hart;
	const writable = ENVCFG_COMMON | (state[Slot.menvcfg] & (EnvironmentConfig.PBMTE | EnvironmentConfig.STCE));
	const before = state[Slot.henvcfg];
	const after = environmentConfig(before, value, writable);
	state[Slot.henvcfg] = after;
	ports.protectionChanged();
	if (((before ^ after) & EnvironmentConfig.STCE) !== 0n) {
		updateTimerLines(hart);
		ports.timerChanged();
	}
}

function writeHie({ state, ports }: PrivilegedHart, value: bigint): void {
	state[Slot.mie] = (state[Slot.mie] & ~INTERRUPTS) | (value & INTERRUPTS);
	ports.interruptsChanged();
}

/** hvip, hip and vsip: the bits of `writable` in mip's software-writable part. */
function writeVirtualPending({ state, ports }: PrivilegedHart, value: bigint, writable: bigint): void {
	state[Slot.mip] = (state[Slot.mip] & ~writable) | (value & writable);
	ports.interruptsChanged();
}

/** Bits of vsie and vsip that are aliases of hie's and hip's, one place higher; the others are read-only zero. */
function delegatedToGuest(state: BigUint64Array): bigint {
	return state[Slot.hideleg] & VS_INTERRUPTS;
}

function writeVsie({ state, ports }: PrivilegedHart, value: bigint): void {
	const writable = delegatedToGuest(state);
	state[Slot.mie] = (state[Slot.mie] & ~writable) | ((value << 1n) & writable);
	ports.interruptsChanged();
}

/** The hypervisor CSRs and the VS CSRs. */
export const hypervisorCsrs: CsrTable = {
	[csrNumbers.hstatus]: { gate: 'none', read: ({ state }) => state[Slot.hstatus], write: writeHstatus },
	[csrNumbers.hedeleg]: storage(Slot.hedeleg, HEDELEG_WRITABLE),
	[csrNumbers.hideleg]: interruptMask(Slot.hideleg, VS_INTERRUPTS),
	[csrNumbers.hie]: { gate: 'none', read: ({ state }) => state[Slot.mie] & INTERRUPTS, write: writeHie },
	[csrNumbers.hip]: {
		gate: 'none',
		read: ({ state }) => BigInt(pendingBits(state)) & INTERRUPTS,
		write: (hart, value) => writeVirtualPending(hart, value, VSSIP),
	},
	[csrNumbers.hvip]: {
		gate: 'none',
		read: ({ state }) => state[Slot.mip] & VS_INTERRUPTS,
		write: (hart, value) => writeVirtualPending(hart, value, VS_INTERRUPTS),
	},
	[csrNumbers.hgeip]: readOnly(({ state }) => state[Slot.hgeip]),
	[csrNumbers.hgeie]: {
		gate: 'none',
		read: ({ state }) => state[Slot.hgeie],
		write: ({ state, ports, guestExternalInterrupts }, value) => {
			// Bits GEILEN:1.
			state[Slot.hgeie] = value & ((2n << BigInt(guestExternalInterrupts)) - 2n);
			ports.interruptsChanged();
		},
	},
	[csrNumbers.hcounteren]: storage(Slot.hcounteren, COUNTER_ENABLE_MASK),
	[csrNumbers.htimedelta]: {
		gate: 'none',
		read: ({ state }) => state[Slot.htimedelta],
		write: (hart, value) => {
			hart.state[Slot.htimedelta] = value;
			updateTimerLines(hart);
			hart.ports.timerChanged();
		},
	},
	[csrNumbers.henvcfg]: { gate: 'none', read: ({ state }) => state[Slot.henvcfg], write: writeHenvcfg },
	[csrNumbers.htval]: storage(Slot.htval),
	[csrNumbers.htinst]: storage(Slot.htinst),
	[csrNumbers.hgatp]: { gate: 'hgatp', read: ({ state }) => state[Slot.hgatp], write: writeHgatp },

	[csrNumbers.vsstatus]: { gate: 'none', read: ({ state }) => state[Slot.vsstatus], write: writeVsstatus },
	[csrNumbers.vsie]: {
		gate: 'none',
		read: ({ state }) => (state[Slot.mie] & delegatedToGuest(state)) >> 1n,
		write: writeVsie,
	},
	[csrNumbers.vsip]: {
		gate: 'none',
		read: ({ state }) => (BigInt(pendingBits(state)) & delegatedToGuest(state)) >> 1n,
		write: (hart, value) => writeVirtualPending(hart, value << 1n, delegatedToGuest(hart.state) & VSSIP),
	},
	[csrNumbers.vstvec]: trapVector(Slot.vstvec),
	[csrNumbers.vsscratch]: storage(Slot.vsscratch),
	[csrNumbers.vsepc]: storage(Slot.vsepc, EPC_MASK),
	[csrNumbers.vscause]: storage(Slot.vscause),
	[csrNumbers.vstval]: storage(Slot.vstval),
	[csrNumbers.vstimecmp]: timerCompare(Slot.vstimecmp),
	[csrNumbers.vsatp]: addressTranslation(Slot.vsatp),
};
