// Floating point that looks at its flags and changes its rounding, as interval arithmetic, exact predicates, printf and
// JavaScript engines do; and operands that are not ordinary: zeros, subnormals, infinities, NaNs, overflow.
#include "program.h"

#define INTERVALS 128

typedef struct {
	double low, high;
} Interval;

static Interval intervals[INTERVALS];
static double odd[] = {0.0, -0.0, 1.0, 5e-324, 2.2250738585072014e-308, 1.7976931348623157e308, 1.0 / 3, -7.5,
	__builtin_inf(), -__builtin_inf(), __builtin_nan(""), 1e-200};
#define ODD ((int)(sizeof odd / sizeof *odd))

enum { INEXACT = 1, UNDERFLOW = 2, OVERFLOW = 4, DIVIDE_BY_ZERO = 8, INVALID = 16 };

static inline uint64_t flags(void) { return csr_read("fflags"); }
static inline void clear_flags(void) { csr_write("fflags", 0); }

// Rounding is changed around each operation, through frm.
static NOINLINE Interval product(Interval a, Interval b) {
	double p, q;
	csr_write("frm", 2);
	__asm__ volatile("fmul.d %0, %1, %2" : "=f"(p) : "f"(a.low), "f"(b.low));
	csr_write("frm", 3);
	__asm__ volatile("fmul.d %0, %1, %2" : "=f"(q) : "f"(a.high), "f"(b.high));
	csr_write("frm", 0);
	return (Interval){p, q};
}

// Rounding is in the instruction.
static NOINLINE Interval sum_of(Interval a, Interval b) {
	double p, q;
	__asm__ volatile("fadd.d %0, %1, %2, rdn" : "=f"(p) : "f"(a.low), "f"(b.low));
	__asm__ volatile("fadd.d %0, %1, %2, rup" : "=f"(q) : "f"(a.high), "f"(b.high));
	return (Interval){p, q};
}

// Whether a sum is exact, asked of the flags.
static NOINLINE uint64_t exact_sums(double step) {
	uint64_t exact = 0;
	double sum = 1.0;
	for (int i = 0; i < 300; i++) {
		clear_flags();
		double next;
		__asm__ volatile("fadd.d %0, %1, %2" : "=f"(next) : "f"(sum), "f"(step * i));
		exact = exact * 2 + !(flags() & INEXACT);
		sum = next > 1e6 ? 1.0 : next;
	}
	return exact;
}

// A number as an integer, where it is one: what an engine for JavaScript asks again and again.
static NOINLINE uint64_t as_integers(const double *values, int size) {
	uint64_t whole = 0;
	for (int i = 0; i < size; i++) {
		int32_t word;
		clear_flags();
		__asm__ volatile("fcvt.w.d %0, %1, rtz" : "=r"(word) : "f"(values[i]));
		if ((flags() & (INEXACT | INVALID)) == 0) whole += (uint32_t)word;
	}
	return whole;
}

static NOINLINE uint64_t odd_operands(void) {
	uint64_t sum = 0;
	for (int i = 0; i < ODD; i++) {
		for (int j = 0; j < ODD; j++) {
			double r;
			uint64_t u, all;
			clear_flags();
			__asm__ volatile("fmul.d %0, %1, %2" : "=f"(r) : "f"(odd[i]), "f"(odd[j]));
			__asm__ volatile("fadd.d %0, %1, %2" : "=f"(r) : "f"(r), "f"(odd[j]));
			__asm__ volatile("fdiv.d %0, %1, %2" : "=f"(r) : "f"(r), "f"(odd[i]));
			__asm__ volatile("fmadd.d %0, %1, %2, %3" : "=f"(r) : "f"(r), "f"(odd[j]), "f"(odd[i]));
			__asm__ volatile("flt.d %0, %1, %2" : "=r"(u) : "f"(r), "f"(odd[j]));
			sum += u;
			__asm__ volatile("fmv.x.d %0, %1" : "=r"(u) : "f"(r));
			__asm__ volatile("fcvt.s.d %0, %1" : "=f"(r) : "f"(r));
			__asm__ volatile("fclass.s %0, %1" : "=r"(all) : "f"(r));
			sum = mix(sum, u + all * 32 + flags());
		}
	}
	return sum;
}

static uint64_t bits(double value) {
	uint64_t result;
	__builtin_memcpy(&result, &value, 8);
	return result;
}

const uint64_t default_rounds = 12000;

uint64_t bench(uint64_t rounds) {
	uint64_t sum = 0;
	double values[INTERVALS];
	for (int i = 0; i < INTERVALS; i++) {
		intervals[i] = (Interval){1.0 + i * 0.001, 1.0 + i * 0.001};
		values[i] = i % 3 ? i * 1.5 : i * 4.0;
	}
	for (uint64_t round = 0; round < rounds; round++) {
		for (int i = 0; i < INTERVALS; i++) {
			const Interval other = intervals[(i * 7 + 1) % INTERVALS];
			const Interval p = product(intervals[i], other);
			const Interval s = sum_of(p, other);
			intervals[i] = s.high > 3.0 ? (Interval){1.0 + i * 0.0007, 1.0 + i * 0.0008} : s;
		}
		sum = mix(sum, bits(intervals[round % INTERVALS].low) ^ bits(intervals[round % INTERVALS].high));
		sum = mix(sum, exact_sums(0.5 + (double)(round & 15) * 0.1));
		sum = mix(sum, as_integers(values, INTERVALS));
		if ((round & 7) == 0) sum = mix(sum, odd_operands());
		values[round % INTERVALS] += 0.25;
	}
	return sum;
}
