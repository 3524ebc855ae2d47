/**
 * The program around the tests: it runs one case after another, in M-mode, and logs every trap.
 *
 * ```
 * RAM + 0x0000  a jump to the runtime, which it erases: nothing is here that a stray access could harm
 *     + 0x2000  runtime: start, trap handler
 *     + 0x3000  supervisor trap vector: ECALLs, so that a trap in S-mode is logged by M-mode
 *     + 0x4000  variables (Variable), the hart's registers while the handler runs; never compared
 *     + 0x8000  on: what the cases bring
 * ```
 *
 * PMP denies all modes what QEMU's board has and the test's has not: below RAM everything, but for the finisher and hart 0's MSIP where a case asks
 * (entries 11 to 14, the denials locked), and high PCI memory. Entry 15 allows S and U the rest; 0 to 10 are the cases'.
 *
 * A case (CaseField) gives the registers to start with, where to start and where it ends. At every trap a record
 * (LogField) is appended to its log, then the case goes on: behind the instruction that trapped; with `unit`, at its
 * next unit; if the fault was on a fetch elsewhere, at x1. An interrupt is disabled in mie and the case goes on where it
 * was. The trap at its `end`, or the last one that its log has room for, ends it.
 */

import { assemble } from '@partita/riscv';
import { CLINT, FINISHER, RAM } from './board.ts';

const RUNTIME = RAM + 0x2000;
/** The supervisor trap vector. */
export const STUB: number = RAM + 0x3000;
const VARIABLES = RAM + 0x4000;
/** What the cases bring starts here. */
export const FREE: number = RAM + 0x8000;

/** Byte offsets of the runtime's variables. */
export const Variable = {
	table: 0,
	current: 8,
	cursor: 16,
	count: 24,
	next: 32,
	started: 40,
	mstatus: 48,
	x: 256,
} as const;

/** Byte offsets of a case's fields, 8 bytes each. */
export const CaseField = {
	start: 0,
	end: 8,
	codeStart: 16,
	codeEnd: 24,
	/** Bytes from one unit of its code to the next; 0: it has none. */
	unit: 32,
	/** Called in M-mode before the registers are loaded; 0: nothing. May change any register but s0, s1 and ra. */
	setup: 40,
	log: 48,
	logLimit: 56,
	result: 64,
	mstatus: 72,
	/** Bits of mstatus that are logged. */
	mstatusMask: 80,
	fcsr: 88,
	/** Bits of mtval that are logged for access and page faults of loads and stores. */
	faultMask: 96,
	/** pmpcfg2 while the case runs. */
	pmpcfg2: 104,
	pmpaddr0: 112,
	pmpcfg0: 120,
	x: 128,
	f: 128 + 32 * 8,
	bytes: 128 + 64 * 8,
} as const;

/** Byte offsets of a log record's fields. */
export const LogField = {
	mcause: 0,
	mepc: 8,
	mtval: 16,
	mstatus: 24,
	scause: 32,
	sepc: 40,
	stval: 48,
	/** x1 at 8 bytes from here. */
	x: 48,
	bytes: 304,
} as const;

/** CSRs that a case's result holds. */
export const resultCsrs = [
	'fcsr',
	'mstatus',
	'sstatus',
	'mie',
	'medeleg',
	'mideleg',
	'mcounteren',
	'scounteren',
	'stvec',
	'sscratch',
	'satp',
	'pmpcfg0',
	'pmpaddr0',
] as const;

/** Byte offsets of a case's result: f0 to f31, then the CSRs. */
export const ResultField = { f: 0, csr: 256, bytes: 256 + resultCsrs.length * 8 } as const;

const all = <T>(from: number, to: number, line: (n: number) => T): string =>
	Array.from({ length: to - from + 1 }, (_, i) => line(from + i)).join('\n');

/** pmpcfg2 with everything below RAM denied; the default of a case. */
export const DEVICES_CLOSED = 0x1f98_0000_9800_0000n;
/** The same, and S and U may write nothing but what pmpcfg0 says. */
export const MEMORY_CLOSED = 0x1d98_0000_9800_0000n;
/** pmpcfg2 with the finisher and MSIP open to all modes. */
export const DEVICES_OPEN = 0x1f98_1b1b_9800_0000n;

/** Sets a PMP entry's address. */
function napot(entry: number, base: number, size: number): string {
	return `li t1, ${BigInt(base) / 4n + BigInt(size) / 8n - 1n}\ncsrw pmpaddr${entry}, t1`;
}

const source = `
.option norvc
.equ FS, 0x6000
_start:
	li   t0, ${RAM}
	sd   zero, 0(t0)
	fence.i
	la   t0, handler
	csrw mtvec, t0
next_case:
	li   t0, ${VARIABLES}
	ld   t1, ${Variable.table}(t0)
	ld   s0, 0(t1)
	beqz s0, finish
	addi t1, t1, 8
	sd   t1, ${Variable.table}(t0)
	sd   s0, ${Variable.current}(t0)
	ld   t1, ${CaseField.log}(s0)
	sd   t1, ${Variable.cursor}(t0)
	sd   zero, ${Variable.count}(t0)
	sd   zero, ${Variable.next}(t0)
	ld   t1, ${Variable.started}(t0)
	addi t1, t1, 1
	sd   t1, ${Variable.started}(t0)
	csrw mscratch, t0
	csrw mie, zero
	csrw mip, zero
	csrw mideleg, zero
	csrw medeleg, zero
	csrw satp, zero
	csrw mcounteren, zero
	csrw scounteren, zero
	csrw menvcfg, zero
	csrw senvcfg, zero
	csrw sscratch, zero
	csrw sepc, zero
	csrw scause, zero
	csrw stval, zero
	csrw mcause, zero
	csrw mtval, zero
	li   t1, -1
	csrw stimecmp, t1
	csrw vstimecmp, t1
	li   t1, ${STUB}
	csrw stvec, t1
	csrw pmpcfg0, zero
	${napot(11, 0x4_0000_0000, 0x4_0000_0000)}
	${napot(12, FINISHER, 8)}
	${napot(13, CLINT, 8)}
	${napot(14, 0, RAM)}
	li   t1, -1
	csrw pmpaddr15, t1
	li   t1, ${DEVICES_OPEN}
	csrw pmpcfg2, t1
	sfence.vma
	li   t1, ${CLINT}
	sw   zero, 0(t1)
	li   t1, FS
	csrw mstatus, t1
	ld   t1, ${CaseField.setup}(s0)
	beqz t1, 1f
	jalr ra, t1
1:	li   t1, FS
	csrs mstatus, t1
	ld   t1, ${CaseField.fcsr}(s0)
	csrw fcsr, t1
	${all(0, 31, (n) => `fld f${n}, ${CaseField.f + 8 * n}(s0)`)}
	ld   t1, ${CaseField.pmpcfg2}(s0)
	csrw pmpcfg2, t1
	ld   t1, ${CaseField.pmpaddr0}(s0)
	beqz t1, 1f
	csrw pmpaddr0, t1
	ld   t1, ${CaseField.pmpcfg0}(s0)
	csrw pmpcfg0, t1
1:
	ld   t1, ${CaseField.start}(s0)
	csrw mepc, t1
	ld   t1, ${CaseField.mstatus}(s0)
	csrw mstatus, t1
	${all(1, 31, (n) => (n === 8 ? '' : `ld x${n}, ${CaseField.x + 8 * n}(s0)`))}
	ld   s0, ${CaseField.x + 64}(s0)
	mret

finish:
	li   t1, ${DEVICES_OPEN}
	csrw pmpcfg2, t1
	li   t0, ${FINISHER}
	li   t1, 0x5555
	sw   t1, 0(t0)
1:	j 1b

.balign 64
handler:
	# MPRV must go before memory is touched, and x30 and x31 must be kept.
	csrw vsscratch, t5
	lui  t5, 0x20
	csrrc t5, mstatus, t5
	csrrw t6, mscratch, t6
	${all(1, 29, (n) => `sd x${n}, ${Variable.x + 8 * n}(t6)`)}
	sd   t5, ${Variable.mstatus}(t6)
	csrr t5, vsscratch
	sd   t5, ${Variable.x + 8 * 30}(t6)
	csrr t5, mscratch
	sd   t5, ${Variable.x + 8 * 31}(t6)
	csrw mscratch, t6
	ld   s1, ${Variable.current}(t6)
	ld   s2, ${Variable.cursor}(t6)
	csrr a0, mcause
	csrr a1, mepc
	csrr a2, mtval
	ld   a3, ${Variable.mstatus}(t6)
	ld   a4, ${CaseField.mstatusMask}(s1)
	and  a4, a3, a4
	# Load and store faults: 5, 7, 13 and 15.
	ori  t0, a0, 10
	addi t0, t0, -15
	bnez t0, 1f
	ld   t0, ${CaseField.faultMask}(s1)
	and  a2, a2, t0
1:	csrr a5, scause
	csrr a6, sepc
	csrr a7, stval
	sd   a0, ${LogField.mcause}(s2)
	sd   a1, ${LogField.mepc}(s2)
	sd   a2, ${LogField.mtval}(s2)
	sd   a4, ${LogField.mstatus}(s2)
	sd   a5, ${LogField.scause}(s2)
	sd   a6, ${LogField.sepc}(s2)
	sd   a7, ${LogField.stval}(s2)
	${all(1, 31, (n) => `ld t0, ${Variable.x + 8 * n}(t6)\nsd t0, ${LogField.x + 8 * n}(s2)`)}
	addi s2, s2, ${LogField.bytes}
	sd   s2, ${Variable.cursor}(t6)
	ld   s3, ${Variable.count}(t6)
	addi s3, s3, 1
	sd   s3, ${Variable.count}(t6)
	ld   s4, ${CaseField.end}(s1)
	beq  a1, s4, end_case
	ld   t0, ${CaseField.logLimit}(s1)
	bgeu s3, t0, end_case
	li   t0, 1
	sll  t0, t0, a0
	mv   a4, a1
	bltz a0, interrupted
	li   t1, ${STUB}
	sub  t1, a1, t1
	li   t2, 0x1000
	bgeu t1, t2, resume
	# A trap that S-mode took. Leave it as SRET would.
	mv   a4, a6
	srli t0, a3, 8
	andi t0, t0, 1
	slli t0, t0, 11
	srli t1, a3, 4
	andi t1, t1, 2
	li   t2, 0x1902
	not  t2, t2
	and  a3, a3, t2
	or   a3, a3, t0
	or   a3, a3, t1
	ori  a3, a3, 0x20
	sd   a3, ${Variable.mstatus}(t6)
	beq  a4, s4, end_case
	li   t0, 1
	sll  t0, t0, a5
	bgez a5, resume
interrupted:
	csrc mie, t0
	j    return
resume:
	ld   s5, ${CaseField.codeStart}(s1)
	ld   s6, ${CaseField.codeEnd}(s1)
	ld   t0, ${CaseField.unit}(s1)
	beqz t0, 1f
	ld   t1, ${Variable.next}(t6)
	addi t1, t1, 1
	sd   t1, ${Variable.next}(t6)
	mul  t0, t0, t1
	add  a4, s5, t0
	bgeu a4, s6, end_case
	j    return
1:	bltu a4, s5, 2f
	bgeu a4, s6, 2f
	lhu  t0, 0(a4)
	addi a4, a4, 2
	andi t0, t0, 3
	li   t1, 3
	bne  t0, t1, return
	addi a4, a4, 2
	j    return
2:	ld   a4, ${Variable.x + 8}(t6)
	# QEMU's mepc takes bit 0.
	andi a4, a4, -2
	bltu a4, s5, end_case
	bgeu a4, s6, end_case
return:
	csrw mepc, a4
	ld   t5, ${Variable.x + 8 * 30}(t6)
	csrw vsscratch, t5
	ld   t5, ${Variable.mstatus}(t6)
	${all(1, 29, (n) => `ld x${n}, ${Variable.x + 8 * n}(t6)`)}
	ld   t6, ${Variable.x + 8 * 31}(t6)
	csrw mstatus, t5
	csrr t5, vsscratch
	mret

end_case:
	ld   s2, ${CaseField.result}(s1)
	li   t0, FS
	ld   t1, ${Variable.mstatus}(t6)
	ld   t2, ${CaseField.mstatusMask}(s1)
	and  t1, t1, t2
	csrs mstatus, t0
	${all(0, 31, (n) => `fsd f${n}, ${ResultField.f + 8 * n}(s2)`)}
	${resultCsrs
		.map((name, i) => {
			const at = ResultField.csr + 8 * i;
			if (name === 'mstatus') return `sd t1, ${at}(s2)`;
			// FS is on now, and may have been masked.
			if (name === 'sstatus') return `csrr t0, sstatus\nand t0, t0, t1\nsd t0, ${at}(s2)`;
			return `csrr t0, ${name}\nsd t0, ${at}(s2)`;
		})
		.join('\n')}
	j    next_case
`;

const stub = `
.option norvc
${all(0, 31, () => 'ecall')}
`;

const runtime: Uint8Array = assemble(source, { base: BigInt(RUNTIME) }).bytes;
const supervisor: Uint8Array = assemble(stub, { base: BigInt(STUB) }).bytes;
if (runtime.length > 0x1000) throw new Error(`runtime: ${runtime.length} bytes do not fit into its page`);

/** Puts the runtime into a RAM image; `table` is the address of the cases' addresses, ended by 0. */
export function placeRuntime(image: Uint8Array, table: number): void {
	image.set(assemble('.option norvc\nj 0x2000 + .').bytes, 0);
	image.set(runtime, RUNTIME - RAM);
	image.set(supervisor, STUB - RAM);
	new DataView(image.buffer, image.byteOffset).setBigUint64(VARIABLES - RAM + Variable.table, BigInt(table), true);
}

/** Number of cases that a RAM image's run has started. */
export function casesStarted(image: Uint8Array): number {
	return Number(new DataView(image.buffer, image.byteOffset).getBigUint64(VARIABLES - RAM + Variable.started, true));
}
