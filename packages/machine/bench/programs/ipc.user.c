// Both processes of ipc.c; the argument says which one it is, and how many calls it makes.
#include "process.h"
#include "ipc.h"

#define PAGES 6

static struct {
	uint64_t words[PAGE / 8];
} pages[PAGES];

typedef struct {
	uint64_t word[4];
} Message;

static inline Message exchange(uint64_t number, Message m) {
	register uint64_t a0 __asm__("a0") = m.word[0];
	register uint64_t a1 __asm__("a1") = m.word[1];
	register uint64_t a2 __asm__("a2") = m.word[2];
	register uint64_t a3 __asm__("a3") = m.word[3];
	register uint64_t a7 __asm__("a7") = number;
	__asm__ volatile("ecall" : "+r"(a0), "+r"(a1), "+r"(a2), "+r"(a3) : "r"(a7) : "memory");
	return (Message){{a0, a1, a2, a3}};
}

static NOINLINE _Noreturn void serve(void) {
	Message m = exchange(CALL_REPLY_WAIT, (Message){{0}});
	for (;;) {
		uint64_t *const word = &pages[m.word[0] % PAGES].words[m.word[1] % (PAGE / 8)];
		*word += m.word[2];
		m = exchange(CALL_REPLY_WAIT, (Message){{*word, m.word[0] + m.word[3], m.word[1] ^ m.word[2], m.word[3] + 1}});
	}
}

_Noreturn void user_main(uint64_t argument) {
	if (argument == 0) serve();
	uint64_t sum = 0;
	Message m = {{1, 2, 3, 4}};
	for (uint64_t round = 0; round < argument; round++) {
		m = exchange(CALL_CALL, m);
		for (int i = 0; i < 4; i++) sum = mix(sum, m.word[i]);
		uint64_t *const word = &pages[sum % PAGES].words[(sum >> 8) % (PAGE / 8)];
		*word ^= sum;
		m.word[0] = sum >> 20;
		m.word[1] = *word >> 7;
		m.word[2] = round;
	}
	system_call(CALL_EXIT, sum, 0);
	__builtin_unreachable();
}
