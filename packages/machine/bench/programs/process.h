// Processes of the programs with user code: an address space each, user code and data at USER, a stack below 2 GiB.
#ifndef PROCESS_H
#define PROCESS_H

#include "program.h"

#define STACK_TOP 0x7ffff000

typedef struct {
	Frame frame;
	uint64_t *root;
	uint64_t satp;
} Process;

// Loaded behind the program by the linker script; sizes are whole pages.
extern char user_code_image[], user_code_size[], user_data_size[];
// Where user code starts, with what the kernel puts into a0.
_Noreturn void user_main(uint64_t argument);

// Gives a page that is zero.
typedef void *NewPage(void);
// The entry of a page in an address space; tables above it that are missing are made of new pages.
uint64_t *entry_of(uint64_t *root, uint64_t address, NewPage *zero_page);
// A process about to enter user_main: code is shared, data and a page of stack are its own.
void make_process(Process *process, NewPage *zero_page, uint64_t asid, uint64_t argument);
// Leaves S-mode for a process.
_Noreturn void enter(Process *process);

// From U-mode.
static inline uint64_t system_call(uint64_t number, uint64_t x, uint64_t y) {
	register uint64_t a0 __asm__("a0") = x;
	register uint64_t a1 __asm__("a1") = y;
	register uint64_t a7 __asm__("a7") = number;
	__asm__ volatile("ecall" : "+r"(a0) : "r"(a1), "r"(a7) : "memory");
	return a0;
}

#endif
