/**
 * Definitions of the hypervisor CSRs and of the VS CSRs.
 * RISC-V Privileged ISA, Hypervisor extension, "Hypervisor and Virtual Supervisor CSRs"; Sstc.
 */

import { Slot } from '../state.ts';
import { type CsrTable, interruptMask, readOnly, storage, trapVector } from './csr-definition.ts';
import { Csr, EnvironmentConfig, HypervisorStatus } from './csr-numbers.ts';
import {
	addressTranslation,
	COUNTER_ENABLE_MASK,
	ENVCFG_COMMON,
	EPC_MASK,
	environmentConfig,
	timerCompare,
	translationModeSupported,
} from './csr-supervisor.ts';
import type { PrivilegedHart } from './hart.ts';
import { HYPERVISOR_INTERRUPTS, pendingBits, updateTimerLines, VIRTUAL_SUPERVISOR_INTERRUPTS } from './interrupts.ts';
import { writeVsstatus } from './status.ts';

const INTERRUPTS = BigInt(HYPERVISOR_INTERRUPTS);
const VS_INTERRUPTS = BigInt(VIRTUAL_SUPERVISOR_INTERRUPTS);
const VSSIP = 4n;
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
const HGATP_MODE = 15n << 60n;
/** VMID: 14 bits; PPN: 44 bits, of which the lowest two read as zeros (the root table is aligned to 16 KiB). */
const HGATP_FIELDS = (0x3fffn << 44n) | ((1n << 44n) - 4n);

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
	[Csr.hstatus]: { gate: 'none', read: ({ state }) => state[Slot.hstatus], write: writeHstatus },
	[Csr.hedeleg]: storage(Slot.hedeleg, HEDELEG_WRITABLE),
	[Csr.hideleg]: interruptMask(Slot.hideleg, VS_INTERRUPTS),
	[Csr.hie]: { gate: 'none', read: ({ state }) => state[Slot.mie] & INTERRUPTS, write: writeHie },
	[Csr.hip]: {
		gate: 'none',
		read: ({ state }) => BigInt(pendingBits(state)) & INTERRUPTS,
		write: (hart, value) => writeVirtualPending(hart, value, VSSIP),
	},
	[Csr.hvip]: {
		gate: 'none',
		read: ({ state }) => state[Slot.mip] & VS_INTERRUPTS,
		write: (hart, value) => writeVirtualPending(hart, value, VS_INTERRUPTS),
	},
	[Csr.hgeip]: readOnly(({ state }) => state[Slot.hgeip]),
	[Csr.hgeie]: {
		gate: 'none',
		read: ({ state }) => state[Slot.hgeie],
		write: ({ state, ports, guestExternalInterrupts }, value) => {
			// Bits GEILEN:1.
			state[Slot.hgeie] = value & ((2n << BigInt(guestExternalInterrupts)) - 2n);
			ports.interruptsChanged();
		},
	},
	[Csr.hcounteren]: storage(Slot.hcounteren, COUNTER_ENABLE_MASK),
	[Csr.htimedelta]: {
		gate: 'none',
		read: ({ state }) => state[Slot.htimedelta],
		write: (hart, value) => {
			hart.state[Slot.htimedelta] = value;
			updateTimerLines(hart);
			hart.ports.timerChanged();
		},
	},
	[Csr.henvcfg]: { gate: 'none', read: ({ state }) => state[Slot.henvcfg], write: writeHenvcfg },
	[Csr.htval]: storage(Slot.htval),
	[Csr.htinst]: storage(Slot.htinst),
	[Csr.hgatp]: { gate: 'hgatp', read: ({ state }) => state[Slot.hgatp], write: writeHgatp },

	[Csr.vsstatus]: { gate: 'none', read: ({ state }) => state[Slot.vsstatus], write: writeVsstatus },
	[Csr.vsie]: {
		gate: 'none',
		read: ({ state }) => (state[Slot.mie] & delegatedToGuest(state)) >> 1n,
		write: writeVsie,
	},
	[Csr.vsip]: {
		gate: 'none',
		read: ({ state }) => (BigInt(pendingBits(state)) & delegatedToGuest(state)) >> 1n,
		write: (hart, value) => writeVirtualPending(hart, value << 1n, delegatedToGuest(hart.state) & VSSIP),
	},
	[Csr.vstvec]: trapVector(Slot.vstvec),
	[Csr.vsscratch]: storage(Slot.vsscratch),
	[Csr.vsepc]: storage(Slot.vsepc, EPC_MASK),
	[Csr.vscause]: storage(Slot.vscause),
	[Csr.vstval]: storage(Slot.vstval),
	[Csr.vstimecmp]: timerCompare(Slot.vstimecmp),
	[Csr.vsatp]: addressTranslation(Slot.vsatp),
};
