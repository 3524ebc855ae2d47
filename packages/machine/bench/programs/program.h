// What a benchmark program is: a function `bench` that runs in S-mode and returns a checksum, the same on every correct
// machine; or one that enters U-mode, with a function `trap`, and calls `finish`.
#ifndef PROGRAM_H
#define PROGRAM_H

#include <stddef.h>
#include <stdint.h>
#include "layout.h"

#define PAGE 4096
#define NOINLINE __attribute__((noinline))

// Page-table entries (privileged specification, 4.4).
#define PTE_V 0x01u
#define PTE_R 0x02u
#define PTE_W 0x04u
#define PTE_X 0x08u
#define PTE_U 0x10u
#define PTE_A 0x40u
#define PTE_D 0x80u
// Left to software.
#define PTE_COPY 0x100u
#define PTE_OF(address, flags) ((uint64_t)(address) >> 12 << 10 | (flags))
#define PTE_ADDRESS(entry) ((entry) >> 10 << 12)

typedef struct {
	uint64_t pc;
	uint64_t x[31]; // x1 to x31
} Frame;

// Register numbers of a Frame's x.
enum { SP = 1, A0 = 9, A1, A2, A3, A4, A5, A6, A7 };

// The program's own number of rounds, for about half a second on QEMU.
extern const uint64_t default_rounds;
uint64_t bench(uint64_t rounds);

// What a program with user code does at a trap; returns the frame to go on with. Programs without have one that fails.
Frame *trap(Frame *frame, uint64_t cause, uint64_t value);

_Noreturn void finish(uint64_t checksum);
_Noreturn void unexpected(uint64_t cause, uint64_t pc, uint64_t value);
// Enters U-mode.
_Noreturn void resume(Frame *frame);

// A new page of the program's RAM: zero, and never given back. It ends the run where there is none.
void *memcpy(void *restrict to, const void *restrict from, size_t size);
void *memset(void *to, int value, size_t size);
void *new_page(void);
// Makes a page that is zero a root page table with the program's own mappings, and room for a process below 2 GiB.
uint64_t *root_in(void *page);
// The value of satp for Sv39.
static inline uint64_t satp_of(const uint64_t *root, uint64_t asid) {
	return 8ull << 60 | asid << 44 | (uint64_t)root >> 12;
}

#define csr_read(name) ({ uint64_t value_; __asm__ volatile("csrr %0, " name : "=r"(value_)); value_; })
#define csr_write(name, value) __asm__ volatile("csrw " name ", %0" ::"rK"((uint64_t)(value)) : "memory")
#define csr_set(name, value) __asm__ volatile("csrs " name ", %0" ::"rK"((uint64_t)(value)) : "memory")
#define csr_clear(name, value) __asm__ volatile("csrc " name ", %0" ::"rK"((uint64_t)(value)) : "memory")

static inline uint64_t rotate(uint64_t value, int by) {
	return value << by | value >> (64 - by);
}

// One step of a checksum; each bit of both reaches all of the result within a few steps.
static inline uint64_t mix(uint64_t sum, uint64_t value) {
	return rotate((sum ^ value) * 0x9e3779b97f4a7c15ull, 29) + 0x165667b19e3779f9ull;
}

// Pseudo-random numbers (xorshift64, Marsaglia 2003); the state is not 0.
static inline uint64_t next_random(uint64_t *state) {
	uint64_t x = *state;
	x ^= x << 13;
	x ^= x >> 7;
	x ^= x << 17;
	return *state = x;
}

#endif
