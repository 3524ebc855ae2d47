/**
 * Definitions of the machine CSRs.
 * RISC-V Privileged ISA, "Machine-Level CSRs"; Hypervisor extension, "Machine-Level CSRs"; Sstc.
 *
 * Absent, so that an access is an illegal instruction: mseccfg, mstateen*, the AIA CSRs, dcsr and its kin, and PMP
 * entries 16 to 63. There are no triggers: tselect and tdata1 to 3 are read-only zero (a trigger of type 0).
 */

import { csrFields, csrNumbers } from '@partita/riscv';
import { Slot } from '../state.ts';
import { readCycle, readInstret, writeCycle, writeInhibit, writeInstret } from './counters.ts';
import { type CsrTable, constant, interruptMask, readOnly, storage, trapVector } from './csr-definition.ts';
import { COUNTER_ENABLE_MASK, ENVCFG_COMMON, EPC_MASK, environmentConfig } from './csr-supervisor.ts';
import { EnvironmentConfig } from './fields.ts';
import { MIDELEG_FIXED, type PrivilegedHart } from './hart.ts';
import { MACHINE_INTERRUPTS, pendingBits, SUPERVISOR_INTERRUPTS, updateTimerLines } from './interrupts.ts';
import { PMP_ENTRIES, writePmpAddress, writePmpConfiguration } from './pmp.ts';
import { writeMstatus } from './status.ts';

/**
 * Exceptions that modes below M can raise here: 0 to 10, 12, 13, 15, 20 to 23. Bit 11 (environment call from M-mode) is
 * read-only zero by the specification, though QEMU 7.2 lets it be written.
 */
const MEDELEG_WRITABLE = 0xf0_b7ffn;
const { SSI: SSIP, VSSI: VSSIP, STI: STIP, SEI: SEIP } = csrFields.interruptBits;

/** Bits of mip that M-mode writes; STIP belongs to stimecmp while menvcfg.STCE is set. VSTIP and VSEIP are hvip's. */
function writableMip(state: BigUint64Array): bigint {
	const bits = SSIP | VSSIP | SEIP;
	return (state[Slot.menvcfg] & EnvironmentConfig.STCE) === 0n ? bits | STIP : bits;
}

function writeMip({ state, ports }: PrivilegedHart, value: bigint): void {
	const writable = writableMip(state);
	state[Slot.mip] = (state[Slot.mip] & ~writable) | (value & writable);
	ports.interruptsChanged();
}

function writeMenvcfg(hart: PrivilegedHart, value: bigint): void {
	const { state, ports } = hart;
	const gated = EnvironmentConfig.PBMTE | EnvironmentConfig.STCE;
	const before = state[Slot.menvcfg];
	const after = environmentConfig(before, value, ENVCFG_COMMON | gated);
	state[Slot.menvcfg] = after;
	// PBMTE and STCE of henvcfg are read-only zero while they are zero here.
	state[Slot.henvcfg] &= ~gated | after;
	ports.protectionChanged();
	if (((before ^ after) & EnvironmentConfig.STCE) !== 0n) {
		state[Slot.mip] &= ~STIP;
		updateTimerLines(hart);
		ports.timerChanged();
	}
}

/** The machine CSRs. */
export const machineCsrs: CsrTable = {
	[csrNumbers.mvendorid]: constant(0n),
	[csrNumbers.marchid]: constant(0n),
	[csrNumbers.mimpid]: constant(0n),
	[csrNumbers.mconfigptr]: constant(0n),
	[csrNumbers.mhartid]: readOnly(({ state }) => state[Slot.mhartid]),

	[csrNumbers.mstatus]: { gate: 'none', read: ({ state }) => state[Slot.mstatus], write: writeMstatus },
	[csrNumbers.misa]: readOnly(({ state }) => state[Slot.misa]),
	[csrNumbers.medeleg]: storage(Slot.medeleg, MEDELEG_WRITABLE),
	[csrNumbers.mideleg]: interruptMask(Slot.mideleg, BigInt(SUPERVISOR_INTERRUPTS), MIDELEG_FIXED),
	[csrNumbers.mie]: interruptMask(Slot.mie, BigInt(MACHINE_INTERRUPTS)),
	[csrNumbers.mip]: {
		gate: 'none',
		read: ({ state }) => BigInt(pendingBits(state)),
		write: writeMip,
		// SEIP reads as the OR with the controller's line, but a read-modify-write sees the software-written bit alone.
		readForModify: ({ state }) => (BigInt(pendingBits(state)) & ~SEIP) | (state[Slot.mip] & SEIP),
	},
	[csrNumbers.mtvec]: trapVector(Slot.mtvec),
	[csrNumbers.mcounteren]: storage(Slot.mcounteren, COUNTER_ENABLE_MASK),
	[csrNumbers.menvcfg]: { gate: 'none', read: ({ state }) => state[Slot.menvcfg], write: writeMenvcfg },
	[csrNumbers.mscratch]: storage(Slot.mscratch),
	[csrNumbers.mepc]: storage(Slot.mepc, EPC_MASK),
	[csrNumbers.mcause]: storage(Slot.mcause),
	[csrNumbers.mtval]: storage(Slot.mtval),
	[csrNumbers.mtval2]: storage(Slot.mtval2),
	[csrNumbers.mtinst]: storage(Slot.mtinst),

	[csrNumbers.mcycle]: { gate: 'none', read: readCycle, write: writeCycle },
	[csrNumbers.minstret]: { gate: 'none', read: readInstret, write: writeInstret },
	[csrNumbers.mcountinhibit]: { gate: 'none', read: ({ state }) => state[Slot.mcountinhibit], write: writeInhibit },

	[csrNumbers.pmpcfg0]: {
		gate: 'none',
		read: ({ state }) => state[Slot.pmpcfg],
		write: (hart, value) => writePmpConfiguration(hart, 0, value),
	},
	[csrNumbers.pmpcfg2]: {
		gate: 'none',
		read: ({ state }) => state[Slot.pmpcfg + 1],
		write: (hart, value) => writePmpConfiguration(hart, 1, value),
	},

	[csrNumbers.tselect]: constant(0n),
	[csrNumbers.tdata1]: constant(0n),
	[csrNumbers.tdata2]: constant(0n),
	[csrNumbers.tdata3]: constant(0n),
};

for (let entry = 0; entry < PMP_ENTRIES; entry++) {
	machineCsrs[csrNumbers.pmpaddr0 + entry] = {
		gate: 'none',
		read: ({ state }) => state[Slot.pmpaddr + entry],
		write: (hart, value) => writePmpAddress(hart, entry, value),
	};
}
for (let index = 0; index <= csrNumbers.mhpmcounter31 - csrNumbers.mhpmcounter3; index++) {
	machineCsrs[csrNumbers.mhpmcounter3 + index] = constant(0n);
	machineCsrs[csrNumbers.mhpmevent3 + index] = constant(0n);
}
