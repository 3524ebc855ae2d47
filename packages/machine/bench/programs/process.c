// Address spaces of processes. See process.h.
#include "process.h"

uint64_t *entry_of(uint64_t *root, uint64_t address, NewPage *zero_page) {
	uint64_t *table = root;
	for (int level = 2; level > 0; level--) {
		uint64_t *entry = &table[address >> (12 + 9 * level) & 511];
		if (!*entry) *entry = PTE_OF(zero_page(), PTE_V);
		table = (uint64_t *)PTE_ADDRESS(*entry);
	}
	return &table[address >> 12 & 511];
}

void make_process(Process *process, NewPage *zero_page, uint64_t asid, uint64_t argument) {
	const unsigned user = PTE_V | PTE_R | PTE_U | PTE_A | PTE_D;
	const uint64_t code = (uint64_t)user_code_size, data = (uint64_t)user_data_size;
	uint64_t *const root = root_in(zero_page());
	for (uint64_t at = 0; at < code; at += PAGE)
		*entry_of(root, USER + at, zero_page) = PTE_OF(user_code_image + at, user | PTE_X);
	for (uint64_t at = 0; at < data; at += PAGE) {
		void *page = memcpy(zero_page(), user_code_image + code + at, PAGE);
		*entry_of(root, USER + code + at, zero_page) = PTE_OF(page, user | PTE_W);
	}
	*entry_of(root, STACK_TOP - PAGE, zero_page) = PTE_OF(zero_page(), user | PTE_W);
	*process = (Process){.root = root, .satp = satp_of(root, asid)};
	process->frame.pc = (uint64_t)user_main;
	process->frame.x[SP] = STACK_TOP;
	process->frame.x[A0] = argument;
}

_Noreturn void enter(Process *process) {
	csr_write("satp", process->satp);
	csr_clear("sstatus", 1 << 8); // SPP: to U-mode
	csr_set("sstatus", 1 << 5); // SPIE
	resume(&process->frame);
}
