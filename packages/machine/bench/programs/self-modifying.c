// Code that writes code: small functions generated into a ring of pages and called a few times each, an instruction that
// is patched in a loop, and code on a page that is also written as data. Each change is followed by fence.i.
#include "program.h"

#define RING_WORDS (64 * PAGE / 4)

static uint32_t ring[RING_WORDS] __attribute__((aligned(PAGE)));
static uint32_t shared[PAGE / 4] __attribute__((aligned(PAGE)));

typedef uint64_t Function(uint64_t a, uint64_t b);
enum { ZERO = 0, RA = 1, T0 = 5, A0_ = 10, A1_ = 11 };

static uint32_t immediate(int operation, int rd, int rs, int value) {
	return (uint32_t)value << 20 | (uint32_t)rs << 15 | (uint32_t)operation << 12 | (uint32_t)rd << 7 | 0x13;
}
static uint32_t addi(int rd, int rs, int value) { return immediate(0, rd, rs, value); }
static uint32_t xori(int rd, int rs, int value) { return immediate(4, rd, rs, value); }
static uint32_t slli(int rd, int rs, int by) { return immediate(1, rd, rs, by); }
static uint32_t srli(int rd, int rs, int by) { return immediate(5, rd, rs, by); }
static uint32_t registers(int function, int operation, int rd, int rs1, int rs2) {
	return (uint32_t)function << 25 | (uint32_t)rs2 << 20 | (uint32_t)rs1 << 15 | (uint32_t)operation << 12 |
		(uint32_t)rd << 7 | 0x33;
}
static uint32_t add(int rd, int rs1, int rs2) { return registers(0, 0, rd, rs1, rs2); }
static uint32_t mul(int rd, int rs1, int rs2) { return registers(1, 0, rd, rs1, rs2); }
static uint32_t bnez(int rs, int bytes) {
	const uint32_t to = (uint32_t)bytes;
	return (to >> 12 & 1) << 31 | (to >> 5 & 63) << 25 | (uint32_t)rs << 15 | 1 << 12 | (to >> 1 & 15) << 8 |
		(to >> 11 & 1) << 7 | 0x63;
}
static const uint32_t RET = 0x00008067;

static inline void synchronize(void) {
	__asm__ volatile("fence.i" ::: "memory");
}

// A loop of random arithmetic that runs b times; returns the end of its code.
static NOINLINE uint32_t *generate(uint32_t *to, uint64_t *random) {
	uint32_t *loop = to;
	const int steps = 8 + (int)(next_random(random) % 40);
	for (int i = 0; i < steps; i++) {
		const uint64_t choice = next_random(random);
		const int value = (int)(choice >> 8 & 0x7ff);
		switch (choice % 5) {
		case 0: *to++ = addi(A0_, A0_, value); break;
		case 1: *to++ = xori(A0_, A0_, value); break;
		case 2: *to++ = slli(T0, A0_, 1 + (value & 31)); *to++ = add(A0_, A0_, T0); break;
		case 3: *to++ = srli(T0, A0_, 1 + (value & 31)); *to++ = add(A0_, A0_, T0); break;
		default: *to++ = addi(T0, ZERO, value | 1); *to++ = mul(A0_, A0_, T0); break;
		}
	}
	*to++ = addi(A1_, A1_, -1);
	const int back = (int)((loop - to) * 4);
	*to++ = bnez(A1_, back);
	*to++ = RET;
	return to;
}

static NOINLINE uint64_t ring_of_functions(uint64_t *random, uint64_t sum) {
	uint32_t *to = ring;
	for (int i = 0; i < 400; i++) {
		Function *function = (Function *)to;
		to = generate(to, random);
		synchronize();
		for (int call = 0; call < 20; call++) sum = function(sum, 5);
		if (to > ring + RING_WORDS - 128) to = ring;
	}
	return sum;
}

static NOINLINE uint64_t patched(uint64_t sum) {
	shared[0] = addi(A0_, A0_, 0);
	shared[1] = mul(A0_, A0_, A1_);
	shared[2] = RET;
	for (int i = 0; i < 2000; i++) {
		shared[0] = addi(A0_, A0_, i & 0x7ff);
		synchronize();
		for (int call = 0; call < 10; call++) sum = ((Function *)shared)(sum, 3);
	}
	return sum;
}

// The data are 2 KiB behind the code that is called.
static NOINLINE uint64_t beside_data(uint64_t sum) {
	volatile uint32_t *data = shared + 512;
	for (int i = 0; i < 3000; i++) {
		data[i & 511] = (uint32_t)sum;
		sum = ((Function *)shared)(sum + data[(i + 7) & 511], 5);
	}
	return sum;
}

const uint64_t default_rounds = 40;

uint64_t bench(uint64_t rounds) {
	uint64_t sum = 0, random = 577215664901532ull;
	for (uint64_t round = 0; round < rounds; round++) {
		sum = mix(sum, ring_of_functions(&random, sum));
		sum = mix(sum, patched(sum));
		sum = mix(sum, beside_data(sum));
	}
	return sum;
}
