/**
 * A guest that keeps everything busy: each hart takes timer interrupts, sends interrupts to its neighbour, contends for
 * a lock with LR/SC, walks an Sv39 address space, writes to its own pages, computes in floating point; hart 0 echoes
 * console input. It runs for ever.
 */
export const BUSY = `
	.globl _start
_start:
	csrr s0, mhartid
	la t0, handler
	csrw mtvec, t0
	# s1: this hart's page, s2: its mtimecmp, s3: the next hart's msip, s4: its own
	la s1, pages
	slli t0, s0, 14
	add s1, s1, t0
	csrw mscratch, s1
	li s2, 0x2004000
	slli t0, s0, 3
	add s2, s2, t0
	li s4, 0x2000000
	slli t0, s0, 2
	add s4, s4, t0
	addi s3, s4, 4
	la t0, harts
	lw t0, 0(t0)
	addi t1, s0, 1
	bne t0, t1, 1f
	li s3, 0x2000000
1:	li t0, 0x6000
	csrs mstatus, t0
	fcvt.d.w ft0, s0
	li t0, 3
	fcvt.d.w ft1, t0
	# Sv39: gigapages, the identity; M-mode loads and stores through it by MPRV with MPP = U, as mret leaves it.
	la t0, root
	li t1, 0xdf
	sd t1, 0(t0)
	li t2, 0x80000
	slli t2, t2, 10
	or t1, t1, t2
	sd t1, 16(t0)
	srli t0, t0, 12
	li t1, 8
	slli t1, t1, 60
	or t0, t0, t1
	csrw satp, t0
	sfence.vma
	li t0, -1
	csrw pmpaddr0, t0
	li t0, 0x1f
	csrw pmpcfg0, t0
	li t0, 0x20000
	csrs mstatus, t0
	li t0, 0x88
	csrw mie, t0
	csrsi mstatus, 8
	la s5, lock
	la s6, shared
loop:
	lr.d t0, (s5)
	bnez t0, 2f
	li t0, 1
	sc.d t1, t0, (s5)
	bnez t1, 2f
	ld t2, 0(s6)
	addi t2, t2, 1
	sd t2, 0(s6)
	amoswap.d.rl zero, zero, (s5)
2:	addi s7, s7, 1
	andi t0, s7, 63
	slli t0, t0, 3
	add t0, t0, s1
	sd s7, 256(t0)
	fmadd.d ft2, ft0, ft1, ft2
	fsqrt.d ft0, ft2
	andi t0, s7, 31
	bnez t0, loop
	li t1, 1
	sw t1, 0(s3)
	bnez s0, loop
	li t1, 0x10000000
	lbu t0, 5(t1)
	andi t0, t0, 1
	beqz t0, loop
	lbu t0, 0(t1)
	sb t0, 0(t1)
	j loop
	.align 2
handler:
	csrrw sp, mscratch, sp
	sd t0, 0(sp)
	sd t1, 8(sp)
	csrr t0, mcause
	andi t0, t0, 15
	li t1, 7
	bne t0, t1, 3f
	rdtime t0
	ld t1, 16(sp)
	addi t1, t1, 1
	sd t1, 16(sp)
	add t0, t0, t1
	andi t1, t1, 15
	add t0, t0, t1
	sd t0, 0(s2)
	j 4f
3:	sw zero, 0(s4)
	ld t1, 24(sp)
	addi t1, t1, 1
	sd t1, 24(sp)
4:	ld t0, 0(sp)
	ld t1, 8(sp)
	csrrw sp, mscratch, sp
	mret
	.align 3
lock:	.dword 0
shared:	.dword 0
harts:	.word HARTS
	.align 12
root:	.zero 4096
pages:	.zero 131072
`;
