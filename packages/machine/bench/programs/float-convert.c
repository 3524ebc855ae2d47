// Conversions between integers and both precisions, comparisons, minimum and maximum, signs, classes and moves between
// the register files: mixing of samples, quantization, fixed point, sorting by value.
#include "program.h"

#define SAMPLES 1024

static int16_t left[SAMPLES], right[SAMPLES];
static float mixed[SAMPLES];
static double values[SAMPLES];
static uint8_t image[SAMPLES];

static NOINLINE uint64_t mix_samples(float gain) {
	uint64_t sum = 0;
	for (int i = 0; i < SAMPLES; i++) {
		float value = (float)left[i] * gain + (float)right[i] * (1.0f - gain);
		value = value > 32767.0f ? 32767.0f : value < -32768.0f ? -32768.0f : value;
		mixed[i] = value;
		sum += (uint64_t)(int64_t)(int32_t)value;
	}
	return sum;
}

static NOINLINE uint64_t quantize(void) {
	uint64_t sum = 0;
	for (int i = 0; i < SAMPLES; i++) {
		const double value = (double)mixed[i] * (1.0 / 256) + 128.0;
		image[i] = (uint8_t)(uint32_t)value;
		values[i] = value - (double)image[i];
		sum += image[i];
	}
	return sum;
}

static NOINLINE uint64_t extremes(void) {
	double low = values[0], high = values[0];
	int negative = 0, below = 0;
	for (int i = 0; i < SAMPLES; i++) {
		__asm__("fmin.d %0, %0, %1" : "+f"(low) : "f"(values[i]));
		__asm__("fmax.d %0, %0, %1" : "+f"(high) : "f"(values[i]));
		negative += __builtin_copysign(1.0, values[i]) < 0;
		below += values[i] <= 0.5;
	}
	return (uint64_t)(low * 1e9) * 3 + (uint64_t)(high * 1e9) * 5 + (uint64_t)(negative * 1000 + below);
}

// Every conversion, with values that fit: rounding to nearest, towards zero, down and up.
static NOINLINE uint64_t round_trips(uint64_t seed) {
	uint64_t sum = 0;
	for (int i = 0; i < 400; i++) {
		const int64_t whole = (int64_t)next_random(&seed) >> 12;
		double d;
		float f;
		int64_t l;
		int32_t w;
		uint64_t u, class;
		__asm__("fcvt.d.l %0, %1" : "=f"(d) : "r"(whole));
		d *= 0.3;
		__asm__("fcvt.l.d %0, %1, rne" : "=r"(l) : "f"(d));
		sum += (uint64_t)l;
		__asm__("fcvt.l.d %0, %1, rdn" : "=r"(l) : "f"(d));
		sum ^= (uint64_t)l;
		__asm__("fcvt.s.d %0, %1" : "=f"(f) : "f"(d));
		__asm__("fcvt.l.s %0, %1, rup" : "=r"(l) : "f"(f));
		sum += (uint64_t)l;
		__asm__("fcvt.s.wu %0, %1" : "=f"(f) : "r"(whole));
		__asm__("fcvt.lu.s %0, %1, rtz" : "=r"(u) : "f"(f));
		sum ^= u;
		__asm__("fcvt.d.lu %0, %1" : "=f"(d) : "r"(whole & 0xffffffffffff));
		__asm__("fclass.d %0, %1" : "=r"(class) : "f"(d));
		__asm__("fcvt.w.d %0, %1, rmm" : "=r"(w) : "f"(d * 1e-7));
		sum += class + (uint64_t)w;
		__asm__("fmv.x.d %0, %1" : "=r"(u) : "f"(-d));
		sum = mix(sum, u);
	}
	return sum;
}

static NOINLINE uint64_t insertion_sort(int size) {
	for (int i = 1; i < size; i++) {
		const double value = values[i];
		int j = i;
		for (; j > 0 && values[j - 1] > value; j--) values[j] = values[j - 1];
		values[j] = value;
	}
	return (uint64_t)(values[size / 2] * 1e6);
}

const uint64_t default_rounds = 4500;

uint64_t bench(uint64_t rounds) {
	uint64_t sum = 0, random = 271828182845904ull;
	for (int i = 0; i < SAMPLES; i++) {
		left[i] = (int16_t)next_random(&random);
		right[i] = (int16_t)next_random(&random);
	}
	for (uint64_t round = 0; round < rounds; round++) {
		sum = mix(sum, mix_samples(0.3f + (float)(round & 63) * 0.01f));
		sum = mix(sum, quantize());
		sum = mix(sum, extremes());
		sum = mix(sum, round_trips(sum | 1));
		sum = mix(sum, insertion_sort(96));
		left[round % SAMPLES] = (int16_t)sum;
	}
	return sum;
}
