// Start-up of a benchmark program, and its end: M-mode boot code, an HS-mode stub where the program is to be a guest (two
// stages of address translation), Sv39 with 4 KiB pages and a 1 kHz timer, then `bench` in S-mode or VS-mode.
#include "program.h"

extern char text_end[], image_end[];
extern char hypervisor_trap[], supervisor_trap[];
extern uint64_t supervisor_frame[], hypervisor_frame[];

#define TABLES (RAM_SIZE / (512 * PAGE))
typedef uint64_t Table[512];

static Table root __attribute__((aligned(PAGE)));
static Table middle __attribute__((aligned(PAGE)));
static Table leaves[TABLES] __attribute__((aligned(PAGE)));
// The G-stage's, behind what a guest may use: the root of Sv39x4 takes four pages (8.5.1).
#define GUEST_ROOT ((uint64_t *)(RAM + RAM_SIZE))
#define GUEST_MIDDLE (GUEST_ROOT + 4 * 512)
#define GUEST_LEAVES ((Table *)(GUEST_MIDDLE + 512))

static char *free_pages = image_end;

void *memcpy(void *restrict to, const void *restrict from, size_t size) {
	char *t = to;
	const char *f = from;
	if ((((uintptr_t)t | (uintptr_t)f) & 7) == 0) {
		for (; size >= 8; size -= 8, t += 8, f += 8) *(uint64_t *)t = *(const uint64_t *)f;
	}
	while (size--) *t++ = *f++;
	return to;
}

void *memset(void *to, int value, size_t size) {
	char *t = to;
	const uint64_t word = (uint8_t)value * 0x0101010101010101ull;
	if (((uintptr_t)t & 7) == 0) {
		for (; size >= 8; size -= 8, t += 8) *(uint64_t *)t = word;
	}
	while (size--) *t++ = (char)value;
	return to;
}

static void print(uint64_t value) {
	volatile uint8_t *uart = (uint8_t *)UART;
	for (int shift = 60; shift >= 0; shift -= 4) *uart = "0123456789abcdef"[value >> shift & 15];
	*uart = '\n';
}

static _Noreturn void power_off(uint32_t code) {
	*(volatile uint32_t *)FINISHER = code;
	for (;;) {
	}
}

_Noreturn void finish(uint64_t checksum) {
	print(checksum);
	power_off(0x5555);
}

_Noreturn void machine_unexpected(uint64_t cause, uint64_t pc, uint64_t value) {
	print(cause);
	print(pc);
	print(value);
	power_off(1 << 16 | 0x3333);
}

_Noreturn void unexpected(uint64_t cause, uint64_t pc, uint64_t value) {
	register uint64_t a0 __asm__("a0") = cause;
	register uint64_t a1 __asm__("a1") = pc;
	register uint64_t a2 __asm__("a2") = value;
	register uint64_t a7 __asm__("a7") = CALL_UNEXPECTED;
	for (;;) __asm__ volatile("ecall" ::"r"(a0), "r"(a1), "r"(a2), "r"(a7));
}

__attribute__((weak)) Frame *trap(Frame *frame, uint64_t cause, uint64_t value) {
	unexpected(cause, frame->pc, value);
}

void *new_page(void) {
	if (free_pages == (char *)PARAMETERS) unexpected(~0ull, 0, 0);
	void *page = free_pages;
	free_pages += PAGE;
	return page;
}

uint64_t *root_in(void *page) {
	uint64_t *table = page;
	table[UART >> 30] = root[UART >> 30];
	table[(uint64_t)RAM >> 30] = root[(uint64_t)RAM >> 30];
	return table;
}

// RAM at its own addresses in pages of 4 KiB, and the devices' GiB in one.
static void map_ram(uint64_t *top, uint64_t *second, Table *third, unsigned code, unsigned data) {
	top[UART >> 30] = PTE_OF(0, data & ~PTE_X);
	top[(uint64_t)RAM >> 30] = PTE_OF(second, PTE_V);
	for (uint64_t offset = 0; offset < RAM_SIZE; offset += PAGE) {
		const uint64_t address = RAM + offset;
		uint64_t *table = third[offset / (512 * PAGE)];
		second[offset / (512 * PAGE)] = PTE_OF(table, PTE_V);
		table[offset / PAGE % 512] = PTE_OF(address, address < (uint64_t)text_end ? code : data);
	}
}

static void supervisor_start(void) {
	const unsigned data = PTE_V | PTE_R | PTE_W | PTE_X | PTE_A | PTE_D;
	map_ram(root, middle, leaves, data & ~PTE_W, data);
	csr_write("satp", satp_of(root, 1));
	__asm__ volatile("sfence.vma" ::: "memory");
	csr_write("stvec", supervisor_trap);
	csr_write("sscratch", supervisor_frame);
	csr_set("sie", 1 << IRQ_S_TIMER);
	csr_set("sstatus", 3 << 13 | 1 << 1); // FS dirty, SIE
	register uint64_t a7 __asm__("a7") = CALL_TIMER;
	__asm__ volatile("ecall" ::"r"(a7) : "memory");
	const uint64_t rounds = *(volatile uint64_t *)PARAMETERS;
	finish(bench(rounds ? rounds : default_rounds));
}

// Leaves the CSRs so that mret goes to supervisor_start.
void machine_start(void) {
	const int guest = ((volatile uint64_t *)PARAMETERS)[1] == 2;
	csr_write("pmpaddr0", ~0ull);
	csr_write("pmpcfg0", 0x1f);
	// Everything but calls from S-mode and HS-mode; the supervisor's interrupts.
	csr_write("medeleg", ~(1ull << CAUSE_SUPERVISOR_CALL));
	csr_write("mideleg", 1 << 1 | 1 << IRQ_S_TIMER | 1 << 9);
	csr_write("mcounteren", 7);
	csr_write("scounteren", 7);
	csr_set("mie", 1 << IRQ_M_TIMER);
	*(volatile uint64_t *)MTIMECMP = ~0ull;
	if (guest) {
		const unsigned all = PTE_V | PTE_R | PTE_W | PTE_X | PTE_U | PTE_A | PTE_D;
		map_ram(GUEST_ROOT, GUEST_MIDDLE, GUEST_LEAVES, all, all);
		csr_write("0x680", 8ull << 60 | (uint64_t)GUEST_ROOT >> 12); // hgatp: Sv39x4
		__asm__ volatile(".insn r 0x73, 0, 0x31, x0, x0, x0" ::: "memory"); // hfence.gvma
		csr_write("0x602", ~(1ull << CAUSE_GUEST_CALL | 0xf00000ull)); // hedeleg
		csr_write("0x603", 1 << 2 | 1 << IRQ_VS_TIMER | 1 << 10); // hideleg
		csr_write("0x606", 7); // hcounteren
		csr_write("stvec", hypervisor_trap);
		csr_write("sscratch", hypervisor_frame);
		csr_set("sie", 1 << IRQ_S_TIMER);
		csr_write("0x600", 1ull << 7 | 1ull << 8 | 2ull << 32); // hstatus: SPV, SPVP, VSXL
		csr_set("mstatus", 1ull << 39); // MPV
	}
	csr_clear("mstatus", 3 << 11 | 1 << 7); // MPP, MPIE
	csr_set("mstatus", 1 << 11 | 3 << 13); // MPP: S; FS
	csr_write("mepc", supervisor_start);
}
