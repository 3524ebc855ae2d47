// Addresses and numbers that entry.S, start.c and the linker script share: the board is QEMU's `virt`.
#ifndef LAYOUT_H
#define LAYOUT_H

#define RAM 0x80000000
// What a program may use: 64 MiB of RAM, the last page of which holds its parameters. Behind it lies the G-stage's table.
#define RAM_SIZE 0x4000000
// Two words, zero unless something writes them before the start: rounds (0: the program's own), stages (0 or 1, or 2).
#define PARAMETERS (RAM + RAM_SIZE - 0x1000)

#define MTIME 0x200bff8
#define MTIMECMP 0x2004000
#define UART 0x10000000
#define FINISHER 0x100000
// The timebase is 10 MHz: 1 kHz.
#define TIMER_TICKS 10000

#define IRQ_S_TIMER 5
#define IRQ_VS_TIMER 6
#define IRQ_M_TIMER 7
#define CAUSE_USER_CALL 8
#define CAUSE_SUPERVISOR_CALL 9
#define CAUSE_GUEST_CALL 10
#define CAUSE_FETCH_PAGE_FAULT 12
#define CAUSE_LOAD_PAGE_FAULT 13
#define CAUSE_STORE_PAGE_FAULT 15

// Calls to M-mode, in a7: the timer's next interrupt; the end of a run that went wrong.
#define CALL_TIMER 0
#define CALL_UNEXPECTED 1

// Where user code and data are linked, in the address space of a process.
#define USER 0x40000000

// Registers of what a trap interrupted: pc, then x1 to x31.
#define FRAME(register) ((register) * 8)

#endif
