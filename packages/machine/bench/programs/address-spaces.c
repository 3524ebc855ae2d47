// Address spaces that come and go: fork with copy-on-write, exec, exit, memory that is zero on its first touch. Page
// tables are made, copied, changed and torn down, with the sfence.vma that each change needs; every page is counted.
#include "process.h"
#include "address-spaces.h"

#define PAGES (RAM_SIZE / PAGE)
#define PARENT_ASID 2
#define CHILD_ASIDS 64

typedef union Free {
	union Free *next;
	uint64_t words[PAGE / 8];
} Free;

// Parent and child; a child has none of its own.
static Process processes[2];
static int current;
static Free *free_list;
static uint16_t owners[PAGES];
static uint64_t next_asid, faults, copies;

static uint16_t *owners_of(const void *page) {
	return &owners[((uint64_t)page - RAM) / PAGE];
}

static void *take_page(void) {
	Free *page = free_list;
	if (page) free_list = page->next;
	else page = new_page();
	*owners_of(page) = 1;
	return page;
}

static void *zero_page(void) {
	return memset(take_page(), 0, PAGE);
}

static void drop_page(void *page) {
	if (--*owners_of(page)) return;
	((Free *)page)->next = free_list;
	free_list = page;
}

// Children take identifiers in turn: what the last owner left in the TLB goes first.
static uint64_t new_asid(void) {
	const uint64_t asid = PARENT_ASID + 1 + next_asid++ % CHILD_ASIDS;
	__asm__ volatile("sfence.vma zero, %0" ::"r"(asid) : "memory");
	return asid;
}

// Everything of the process below 2 GiB, at each level.
static void tear_down(uint64_t *table, int level) {
	for (int i = 0; i < 512; i++) {
		const uint64_t entry = table[i];
		if (!(entry & PTE_V)) continue;
		void *page = (void *)PTE_ADDRESS(entry);
		if (level > 0) tear_down(page, level - 1);
		else if (*owners_of(page) > 0) drop_page(page); // code belongs to the image
	}
	drop_page(table);
}

static void discard(const Process *process) {
	tear_down((uint64_t *)PTE_ADDRESS(process->root[USER >> 30]), 1);
	drop_page(process->root);
}

// Pages that can be written are shared until one of both writes.
static void copy_table(uint64_t *to, uint64_t *from, int level) {
	for (int i = 0; i < 512; i++) {
		if (!(from[i] & PTE_V)) continue;
		if (level > 0) {
			uint64_t *table = zero_page();
			copy_table(table, (uint64_t *)PTE_ADDRESS(from[i]), level - 1);
			to[i] = PTE_OF(table, PTE_V);
			continue;
		}
		if (from[i] & PTE_W) from[i] = (from[i] & ~(uint64_t)PTE_W) | PTE_COPY;
		to[i] = from[i];
		uint16_t *const count = owners_of((void *)PTE_ADDRESS(from[i]));
		if (*count > 0) ++*count;
	}
}

static void fork(Process *child, Process *parent) {
	child->root = root_in(zero_page());
	uint64_t *middle = zero_page();
	child->root[USER >> 30] = PTE_OF(middle, PTE_V);
	copy_table(middle, (uint64_t *)PTE_ADDRESS(parent->root[USER >> 30]), 1);
	__asm__ volatile("sfence.vma zero, %0" ::"r"(parent->satp >> 44 & 0xffff) : "memory");
	child->satp = satp_of(child->root, new_asid());
	child->frame = parent->frame;
	child->frame.x[A0] = 0;
}

static void page_fault(Process *process, uint64_t cause, uint64_t address) {
	uint64_t *const entry = entry_of(process->root, address, zero_page);
	const unsigned user = PTE_V | PTE_R | PTE_W | PTE_U | PTE_A | PTE_D;
	faults++;
	if (*entry == 0 && address >= HEAP && address < HEAP + HEAP_PAGES * PAGE) {
		*entry = PTE_OF(zero_page(), user);
	} else if (cause == CAUSE_STORE_PAGE_FAULT && *entry & PTE_COPY) {
		void *page = (void *)PTE_ADDRESS(*entry);
		if (*owners_of(page) > 1) {
			copies++;
			void *own = memcpy(take_page(), page, PAGE);
			drop_page(page);
			page = own;
		}
		*entry = PTE_OF(page, user);
	} else unexpected(cause, process->frame.pc, address);
	__asm__ volatile("sfence.vma %0, %1" ::"r"(address), "r"(process->satp >> 44 & 0xffff) : "memory");
}

Frame *trap(Frame *frame, uint64_t cause, uint64_t value) {
	Process *const process = &processes[current];
	if (cause != CAUSE_USER_CALL) {
		if (cause != CAUSE_LOAD_PAGE_FAULT && cause != CAUSE_STORE_PAGE_FAULT) unexpected(cause, frame->pc, value);
		page_fault(process, cause, value);
		return frame;
	}
	frame->pc += 4;
	const uint64_t argument = frame->x[A0];
	switch (frame->x[A7]) {
	case CALL_FORK:
		if (current != 0) break;
		fork(&processes[1], process);
		current = 1;
		break;
	case CALL_EXEC: {
		const Process old = *process;
		make_process(process, zero_page, new_asid(), argument);
		csr_write("satp", process->satp);
		discard(&old);
		break;
	}
	case CALL_EXIT:
		if (current == 0) finish(mix(mix(argument, faults), copies));
		csr_write("satp", processes[0].satp);
		discard(process);
		current = 0;
		processes[0].frame.x[A0] = argument;
		break;
	default:
		unexpected(cause, frame->pc, frame->x[A7]);
	}
	csr_write("satp", processes[current].satp);
	return &processes[current].frame;
}

const uint64_t default_rounds = 3500;

uint64_t bench(uint64_t rounds) {
	make_process(&processes[0], zero_page, PARENT_ASID, rounds);
	enter(&processes[0]);
}
