# Entry, trap vectors and register frames of the benchmark programs: what C cannot say. start.c has the rest.
# Privileged specification 1.12: machine level (3), supervisor level (4), hypervisor extension (8).

#include "layout.h"

	.option norelax

	.section .text.entry, "ax"
	.globl _start
_start:
	la sp, machine_stack_end
	la t0, machine_trap
	csrw mtvec, t0
	la t0, machine_frame
	csrw mscratch, t0
	call machine_start
	la sp, supervisor_stack_end
	mret                            # to supervisor_start, in S-mode or VS-mode

	.text
# M-mode. The timer becomes the supervisor's timer interrupt; calls from S-mode arm the next one, or end the run.
	.balign 4
machine_trap:
	csrrw sp, mscratch, sp
	sd t0, 0(sp)
	sd t1, 8(sp)
	sd t2, 16(sp)
	csrr t0, mcause
	li t1, CAUSE_SUPERVISOR_CALL
	beq t0, t1, 1f
	bgez t0, 3f
	li t1, 1 << IRQ_S_TIMER
	csrs mip, t1
	li t1, 1 << IRQ_M_TIMER
	csrc mie, t1
	j 2f
1:	bnez a7, 3f
	li t0, MTIME
	ld t1, 0(t0)
	li t2, TIMER_TICKS
	add t1, t1, t2
	li t0, MTIMECMP
	sd t1, 0(t0)
	li t1, 1 << IRQ_S_TIMER
	csrc mip, t1
	li t1, 1 << IRQ_M_TIMER
	csrs mie, t1
	csrr t0, mepc
	addi t0, t0, 4
	csrw mepc, t0
2:	ld t0, 0(sp)
	ld t1, 8(sp)
	ld t2, 16(sp)
	csrrw sp, mscratch, sp
	mret
3:	la sp, machine_stack_end        # nothing that these programs do
	csrr a0, mcause
	csrr a1, mepc
	csrr a2, mtval
	call machine_unexpected

# HS-mode, where the program is a guest: hands the timer on, and its calls to M-mode.
	.globl hypervisor_trap
	.balign 4
hypervisor_trap:
	csrrw sp, sscratch, sp
	sd t0, 0(sp)
	sd t1, 8(sp)
	csrr t0, scause
	li t1, 1 << IRQ_VS_TIMER
	bgez t0, 1f
	csrs hvip, t1
	li t1, 1 << IRQ_S_TIMER
	csrc sie, t1
	j 2f
1:	li t1, CAUSE_GUEST_CALL
	bne t0, t1, 3f
	li t1, 1 << IRQ_VS_TIMER
	csrc hvip, t1
	ecall                           # a7 is the guest's
	li t1, 1 << IRQ_S_TIMER
	csrs sie, t1
	csrr t0, sepc
	addi t0, t0, 4
	csrw sepc, t0
2:	ld t0, 0(sp)
	ld t1, 8(sp)
	csrrw sp, sscratch, sp
	sret
3:	li a7, CALL_UNEXPECTED
	csrr a0, scause
	csrr a1, sepc
	csrr a2, stval
	ecall

# S-mode. sscratch holds the frame of what runs; interrupts are the timer's alone.
	.globl supervisor_trap
	.balign 4
supervisor_trap:
	csrrw sp, sscratch, sp
	sd t0, FRAME(5)(sp)
	csrr t0, scause
	bgez t0, 1f
	sd a7, FRAME(17)(sp)
	li a7, CALL_TIMER
	ecall
	ld a7, FRAME(17)(sp)
	ld t0, FRAME(5)(sp)
	csrrw sp, sscratch, sp
	sret
1:
	.irp r, 1, 3, 4, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31
	sd x\r, FRAME(\r)(sp)
	.endr
	csrr t1, sscratch
	sd t1, FRAME(2)(sp)
	csrr t1, sepc
	sd t1, FRAME(0)(sp)
	csrr a1, scause
	csrr a2, stval
	mv a0, sp
	la t1, supervisor_frame
	csrw sscratch, t1
	la sp, trap_stack_end
	call trap                       # returns the frame that goes on
	.globl resume
resume:
	mv sp, a0
	csrw sscratch, a0
	ld t1, FRAME(0)(sp)
	csrw sepc, t1
	.irp r, 1, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31
	ld x\r, FRAME(\r)(sp)
	.endr
	ld sp, FRAME(2)(sp)
	sret

	.bss
	.balign 64
	.globl supervisor_frame, hypervisor_frame
machine_frame: .zero 24
hypervisor_frame: .zero 16
	.balign 64
supervisor_frame: .zero FRAME(32)
	.balign 16
	.zero 8192
machine_stack_end:
	.zero 65536
supervisor_stack_end:
	.zero 16384
trap_stack_end:
