// Atomics on one hart: every AMO in both widths, a ticket lock and a lock by LR/SC, compare-and-swap loops, a ring of
// messages with fences, reference counts.
#include "program.h"

#define SLOTS 256

static uint64_t counter, extremes[4], lock_word, ticket_next, ticket_serving;
static uint32_t small, histogram[64];
static struct {
	uint64_t head, tail;
	uint64_t slots[SLOTS];
} ring;
static struct {
	int32_t count;
	uint32_t frees;
} objects[32];

static NOINLINE uint64_t amos(uint64_t value) {
	uint64_t sum = __atomic_fetch_add(&counter, value, __ATOMIC_SEQ_CST);
	sum ^= __atomic_exchange_n(&counter, value ^ sum, __ATOMIC_ACQ_REL);
	sum += __atomic_fetch_xor(&counter, value >> 3, __ATOMIC_RELAXED);
	sum ^= __atomic_fetch_and(&small, (uint32_t)value | 0xff, __ATOMIC_RELAXED);
	sum += __atomic_fetch_or(&small, (uint32_t)(value >> 7), __ATOMIC_RELEASE);
	sum += __atomic_fetch_add(&histogram[value & 63], 1, __ATOMIC_RELAXED);
	uint64_t old;
	__asm__ volatile("amomax.d %0, %1, (%2)" : "=r"(old) : "r"(value), "r"(&extremes[0]) : "memory");
	sum ^= old;
	__asm__ volatile("amominu.d %0, %1, (%2)" : "=r"(old) : "r"(value | 1), "r"(&extremes[1]) : "memory");
	sum += old;
	__asm__ volatile("amomin.w %0, %1, (%2)" : "=r"(old) : "r"(value), "r"(&extremes[2]) : "memory");
	sum ^= old;
	__asm__ volatile("amomaxu.w %0, %1, (%2)" : "=r"(old) : "r"(value), "r"(&extremes[3]) : "memory");
	return sum + old;
}

static NOINLINE void lock(void) {
	while (__atomic_exchange_n(&lock_word, 1, __ATOMIC_ACQUIRE)) {
	}
}

static NOINLINE void unlock(void) {
	__atomic_store_n(&lock_word, 0, __ATOMIC_RELEASE);
}

static NOINLINE uint64_t with_ticket(uint64_t value) {
	const uint64_t mine = __atomic_fetch_add(&ticket_next, 1, __ATOMIC_RELAXED);
	while (__atomic_load_n(&ticket_serving, __ATOMIC_ACQUIRE) != mine) {
	}
	value += mine;
	__atomic_store_n(&ticket_serving, mine + 1, __ATOMIC_RELEASE);
	return value;
}

// A saturating maximum by compare-and-swap, which is LR and SC.
static NOINLINE void raise_to(uint32_t *word, uint32_t value) {
	uint32_t old = __atomic_load_n(word, __ATOMIC_RELAXED);
	while (old < value && !__atomic_compare_exchange_n(word, &old, value, 1, __ATOMIC_ACQ_REL, __ATOMIC_RELAXED)) {
	}
}

static NOINLINE int put(uint64_t value) {
	const uint64_t head = __atomic_load_n(&ring.head, __ATOMIC_RELAXED);
	if (head - __atomic_load_n(&ring.tail, __ATOMIC_ACQUIRE) == SLOTS) return 0;
	ring.slots[head % SLOTS] = value;
	__atomic_store_n(&ring.head, head + 1, __ATOMIC_RELEASE);
	return 1;
}

static NOINLINE int get(uint64_t *value) {
	const uint64_t tail = __atomic_load_n(&ring.tail, __ATOMIC_RELAXED);
	if (__atomic_load_n(&ring.head, __ATOMIC_ACQUIRE) == tail) return 0;
	*value = ring.slots[tail % SLOTS];
	__atomic_store_n(&ring.tail, tail + 1, __ATOMIC_RELEASE);
	return 1;
}

static NOINLINE void release(int object) {
	if (__atomic_fetch_sub(&objects[object].count, 1, __ATOMIC_RELEASE) == 1) {
		__atomic_thread_fence(__ATOMIC_ACQUIRE);
		objects[object].frees++;
		__atomic_store_n(&objects[object].count, 3, __ATOMIC_RELAXED);
	}
}

const uint64_t default_rounds = 4000000;

uint64_t bench(uint64_t rounds) {
	uint64_t sum = 0, random = 1442695040888963407ull;
	for (int i = 0; i < 32; i++) objects[i].count = 3;
	for (uint64_t round = 0; round < rounds; round++) {
		const uint64_t value = next_random(&random);
		sum += amos(value);
		lock();
		sum = mix(sum, with_ticket(value));
		unlock();
		raise_to(&histogram[value >> 58], (uint32_t)(value >> 20));
		put(value);
		uint64_t got;
		if ((round & 3) == 3) {
			while (get(&got)) sum ^= got;
		}
		release((int)(value >> 40 & 31));
	}
	for (int i = 0; i < 64; i++) sum = mix(sum, histogram[i]);
	for (int i = 0; i < 32; i++) sum = mix(sum, objects[i].frees);
	for (int i = 0; i < 4; i++) sum = mix(sum, extremes[i]);
	return mix(sum, counter ^ small);
}
