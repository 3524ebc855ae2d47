// Divisions and square roots in both precisions: Newton's method, a tridiagonal system, normalized vectors, continued
// fractions, a Mandelbrot-like quotient.
#include "program.h"

#define SIZE 256

static double lower[SIZE], diagonal[SIZE], upper[SIZE], right[SIZE], solution[SIZE], factor[SIZE], rest[SIZE];
static struct {
	float x, y, z;
} vectors[SIZE];

static NOINLINE void solve(void) {
	factor[0] = upper[0] / diagonal[0];
	rest[0] = right[0] / diagonal[0];
	for (int i = 1; i < SIZE; i++) {
		const double pivot = diagonal[i] - lower[i] * factor[i - 1];
		factor[i] = upper[i] / pivot;
		rest[i] = (right[i] - lower[i] * rest[i - 1]) / pivot;
	}
	solution[SIZE - 1] = rest[SIZE - 1];
	for (int i = SIZE - 2; i >= 0; i--) solution[i] = rest[i] - factor[i] * solution[i + 1];
}

static NOINLINE void normalize(void) {
	for (int i = 0; i < SIZE; i++) {
		const float x = vectors[i].x, y = vectors[i].y, z = vectors[i].z;
		const float size = __builtin_sqrtf(x * x + y * y + z * z);
		vectors[i].x = x / size + 0.01f;
		vectors[i].y = y / size + 0.02f;
		vectors[i].z = z / size + 0.03f;
	}
}

static NOINLINE double cube_root(double value) {
	double x = value;
	for (int i = 0; i < 24; i++) x = (2.0 * x + value / (x * x)) / 3.0;
	return x;
}

static NOINLINE double fraction(double x) {
	double value = x;
	for (int i = 1; i < 200; i++) value = x + (double)i / value;
	return value;
}

static NOINLINE double norms(void) {
	double sum = 0;
	for (int i = 0; i < SIZE; i++) sum += __builtin_sqrt(solution[i] * solution[i] + 1.5) / (sum + 1.25);
	return sum;
}

static uint64_t bits(double value) {
	uint64_t result;
	__builtin_memcpy(&result, &value, 8);
	return result;
}

const uint64_t default_rounds = 16000;

uint64_t bench(uint64_t rounds) {
	uint64_t sum = 0, random = 161803398874989ull;
	for (int i = 0; i < SIZE; i++) {
		lower[i] = -1.0 - (double)(next_random(&random) % 100) * 0.01;
		upper[i] = -1.0 - (double)(next_random(&random) % 100) * 0.01;
		diagonal[i] = 5.0 + (double)(next_random(&random) % 100) * 0.01;
		right[i] = (double)(next_random(&random) % 1000) * 0.01 + 0.5;
		vectors[i].x = vectors[i].y = (float)(next_random(&random) % 1000) * 0.01f + 0.5f;
		vectors[i].z = (float)(next_random(&random) % 1000) * 0.01f + 0.25f;
	}
	for (uint64_t round = 0; round < rounds; round++) {
		solve();
		normalize();
		right[round % SIZE] += solution[round * 3 % SIZE] * 0.125;
		sum = mix(sum, bits(solution[round % SIZE]));
		sum = mix(sum, bits((double)vectors[round * 5 % SIZE].x));
		sum = mix(sum, bits(cube_root(2.0 + (double)(round & 1023))));
		sum = mix(sum, bits(fraction(1.0 + (double)(round & 255) * 0.01)));
		sum = mix(sum, bits(norms()));
	}
	return sum;
}
