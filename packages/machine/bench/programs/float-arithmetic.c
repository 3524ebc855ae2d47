// Additions and multiplications in double and single precision, not fused: bodies that attract each other in a fixed
// number of steps, a wave, a filter, and a polynomial. Results stay normal numbers.
#include "program.h"

#define CELLS 512

static double wave[CELLS], before[CELLS];
static float samples[CELLS], filtered[CELLS];
static struct {
	double x, y, vx, vy;
} bodies[8];

static NOINLINE void step_wave(void) {
	for (int i = 1; i < CELLS - 1; i++) {
		before[i] = 1.996 * wave[i] - 0.998 * before[i] + 0.2 * (wave[i - 1] - 2.0 * wave[i] + wave[i + 1]);
	}
	for (int i = 0; i < CELLS; i++) {
		const double value = wave[i];
		wave[i] = before[i];
		before[i] = value;
	}
}

static NOINLINE void filter(void) {
	float a = 0.25f, b = 0.5f;
	for (int i = 0; i < CELLS; i++) {
		const float out = 0.3f * samples[i] + 0.5f * a + 0.15f * b;
		b = a;
		a = out;
		filtered[i] = out;
	}
}

static NOINLINE void step_bodies(double dt) {
	for (int i = 0; i < 8; i++) {
		double ax = 0, ay = 0;
		for (int j = 0; j < 8; j++) {
			const double dx = bodies[j].x - bodies[i].x, dy = bodies[j].y - bodies[i].y;
			const double pull = 1.25 - 0.125 * (dx * dx + dy * dy);
			ax += dx * pull;
			ay += dy * pull;
		}
		bodies[i].vx += ax * dt;
		bodies[i].vy += ay * dt;
	}
	for (int i = 0; i < 8; i++) {
		bodies[i].x += bodies[i].vx * dt;
		bodies[i].y += bodies[i].vy * dt;
	}
}

static NOINLINE double polynomial(double x) {
	static const double c[] = {0.31, -1.2, 0.77, 2.5, -0.13, 0.9, -1.7, 0.42};
	double sum = 0;
	for (int i = 0; i < 2000; i++) {
		double value = c[0];
		for (int k = 1; k < 8; k++) value = value * x + c[k];
		sum += value;
		x += 0.0003;
	}
	return sum;
}

static uint64_t bits(double value) {
	uint64_t result;
	__builtin_memcpy(&result, &value, 8);
	return result;
}

const uint64_t default_rounds = 1200;

uint64_t bench(uint64_t rounds) {
	uint64_t sum = 0, random = 314159265358979ull;
	for (int i = 0; i < CELLS; i++) {
		wave[i] = before[i] = (double)(next_random(&random) % 1000) * 0.001 + 0.001;
		samples[i] = (float)(next_random(&random) % 1000) * 0.002f + 0.001f;
	}
	for (int i = 0; i < 8; i++) {
		bodies[i].x = (double)(next_random(&random) % 100) * 0.01;
		bodies[i].y = (double)(next_random(&random) % 100) * 0.01;
	}
	for (uint64_t round = 0; round < rounds; round++) {
		for (int i = 0; i < 12; i++) step_wave();
		for (int i = 0; i < 12; i++) filter();
		for (int i = 0; i < 60; i++) step_bodies(0.001);
		samples[round % CELLS] += filtered[(round * 7) % CELLS] * 0.5f;
		wave[round % CELLS] += 0.01;
		sum = mix(sum, bits(wave[round * 13 % CELLS]));
		sum = mix(sum, bits((double)filtered[round * 5 % CELLS]));
		sum = mix(sum, bits(bodies[round & 7].x));
		sum = mix(sum, bits(polynomial(0.1 + (double)round * 0.0001)));
	}
	return sum;
}
