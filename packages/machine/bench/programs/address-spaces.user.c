// The user's side of address-spaces.c: what a shell does that starts programs, without the programs.
#include "process.h"
#include "address-spaces.h"

#define WORDS (PAGE / 8)
#define TABLE_PAGES 24

static uint64_t table[TABLE_PAGES * WORDS];

static volatile uint64_t *heap_page(int page) {
	return (volatile uint64_t *)(HEAP + (uint64_t)page * PAGE);
}

// What the new program does: memory of its own, read and written.
static NOINLINE uint64_t program(uint64_t seed) {
	uint64_t sum = seed;
	for (int page = 0; page < 20; page++) {
		volatile uint64_t *words = heap_page(page * 7);
		for (int i = 0; i < 64; i++) words[i * 8] += sum + (uint64_t)i;
		sum = mix(sum, words[(int)(sum & 63) * 8]);
	}
	for (int i = 0; i < TABLE_PAGES; i += 3) sum = mix(sum, table[i * WORDS + 5]++);
	return sum;
}

_Noreturn void user_main(uint64_t argument) {
	if (argument >> 63) {
		system_call(CALL_EXIT, program(argument), 0);
		__builtin_unreachable();
	}
	uint64_t sum = 0;
	for (int i = 0; i < TABLE_PAGES; i++) table[i * WORDS + 5] = (uint64_t)i;
	for (int i = 0; i < 40; i++) heap_page(i)[0] = (uint64_t)i;
	for (uint64_t round = 0; round < argument; round++) {
		const uint64_t result = system_call(CALL_FORK, 0, 0);
		if (result == 0) {
			// A child: some of its pages are written, then it becomes another program, or ends.
			for (int i = 0; i < 12; i++) table[((int)round + i * 2) % TABLE_PAGES * WORDS] += round;
			for (int i = 0; i < 10; i++) heap_page((int)(round + (uint64_t)i * 3) % 40)[i] ^= sum;
			if (round & 1) system_call(CALL_EXEC, 1ull << 63 | sum, 0);
			system_call(CALL_EXIT, mix(sum, table[(int)round % TABLE_PAGES * WORDS] + heap_page((int)round % 40)[0]), 0);
		}
		sum = mix(sum, result);
		for (int i = 0; i < 6; i++) table[((int)round + i) % TABLE_PAGES * WORDS + 1] = sum + (uint64_t)i;
		heap_page((int)(round % 40))[1] = sum;
	}
	system_call(CALL_EXIT, sum, 0);
	__builtin_unreachable();
}
