// The programs that bench-machine.mjs brings along: assembled here, M-mode boot code that sets up Sv39 with 4 KiB pages
// and a 1 kHz timer, then a loop in S-mode that ends with a checksum on the UART and success from the test finisher.

/** Maps 16 MiB of RAM and the devices, starts the timer, and enters `program` in S-mode; s0 there is the checksum. */
const around = (program) => `
	.globl _start
_start:
	la sp, trapframe
	csrw mscratch, sp
	la t0, handler
	csrw mtvec, t0
	la t0, root
	li t1, 0xc7
	sd t1, 0(t0)
	li t2, 4096
	add t3, t0, t2
	srli t1, t3, 2
	ori t1, t1, 1
	sd t1, 16(t0)
	add t4, t3, t2
	li t5, 8
1:	srli t1, t4, 2
	ori t1, t1, 1
	sd t1, 0(t3)
	addi t3, t3, 8
	add t4, t4, t2
	addi t5, t5, -1
	bnez t5, 1b
	li t3, 8192
	add t4, t0, t3
	li t5, 4096
	li t1, 0x200000cf
2:	sd t1, 0(t4)
	addi t1, t1, 1024
	addi t4, t4, 8
	addi t5, t5, -1
	bnez t5, 2b
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
	call next
	li t0, 0x80
	csrw mie, t0
	li t0, 0x1880
	csrc mstatus, t0
	li t0, 0x6880
	csrs mstatus, t0
	la t0, supervisor
	csrw mepc, t0
	mret
next:
	li t0, 0x200bff8
	ld t1, 0(t0)
	li t2, 10000
	add t1, t1, t2
	li t0, 0x2004000
	sd t1, 0(t0)
	ret
	.align 2
handler:
	csrrw sp, mscratch, sp
	sd ra, 0(sp)
	sd t0, 8(sp)
	sd t1, 16(sp)
	sd t2, 24(sp)
	call next
	ld ra, 0(sp)
	ld t0, 8(sp)
	ld t1, 16(sp)
	ld t2, 24(sp)
	csrrw sp, mscratch, sp
	mret
supervisor:
	li s0, 0
	${program}
	li a0, 0x10000000
	li a1, 60
3:	srl a2, s0, a1
	andi a2, a2, 15
	li a3, 10
	blt a2, a3, 4f
	addi a2, a2, 39
4:	addi a2, a2, 48
	sb a2, 0(a0)
	addi a1, a1, -4
	bgez a1, 3b
	li a2, 10
	sb a2, 0(a0)
	li a0, 0x100000
	li a1, 0x5555
	sw a1, 0(a0)
5:	j 5b
	.align 12
root:	.zero 40960
trapframe: .zero 64
	.align 12
data:
`;

/** Sieve of Eratosthenes over 2^20 bytes, 20 times: loads, stores and short branches. */
const sieve = `
	li s1, 20
	la s2, data
	li s3, 0x100000
	add s4, s2, s3
10:	mv t0, s2
11:	sd zero, 0(t0)
	addi t0, t0, 8
	bltu t0, s4, 11b
	li t1, 2
12:	add t2, s2, t1
	lbu t3, 0(t2)
	bnez t3, 14f
	addi s0, s0, 1
	li t4, 1
	add t2, t2, t1
	bgeu t2, s4, 14f
13:	sb t4, 0(t2)
	add t2, t2, t1
	bltu t2, s4, 13b
14:	addi t1, t1, 1
	bltu t1, s3, 12b
	addi s1, s1, -1
	bnez s1, 10b
`;

/** A hash of 64-bit words by multiplication and rotation, in a function that is called: arithmetic and calls. */
const hash = `
	li s1, 25000000
	li s2, 0x9e3779b97f4a7c15
	li s3, 1
10:	call 20f
	addi s3, s3, 1
	addi s1, s1, -1
	bnez s1, 10b
	j 30f
20:	xor a0, s0, s3
	mul a0, a0, s2
	srli a1, a0, 29
	slli a2, a0, 35
	or a1, a1, a2
	xor s0, a0, a1
	addi s0, s0, 17
	ret
30:
`;

/** Name and source of each. */
export const programs = [
	['sieve', around(sieve)],
	['hash', around(hash)],
];
