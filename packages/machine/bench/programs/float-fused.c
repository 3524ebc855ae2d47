// Fused multiplications and additions, as compilers emit them by default: matrix products in both precisions, planets
// with a square root and a division per pair, dot products with all four signs, a Horner scheme.
#include "program.h"

#define SIDE 48

static double a[SIDE][SIDE], b[SIDE][SIDE], c[SIDE][SIDE];
static float fa[SIDE][SIDE], fb[SIDE][SIDE], fc[SIDE][SIDE];

typedef struct {
	double at[3], speed[3], mass;
} Body;

static Body bodies[] = {
	{{0, 0, 0}, {0, 0, 0}, 39.5},
	{{4.8, -1.2, -0.1}, {0.6, 2.8, -0.02}, 0.038},
	{{8.3, 4.1, -0.4}, {-1.0, 1.8, 0.008}, 0.011},
	{{12.9, -15.1, -0.2}, {1.1, 0.9, -0.01}, 0.0017},
	{{15.4, -25.9, 0.2}, {1.0, 0.6, -0.03}, 0.002},
};
#define BODIES ((int)(sizeof bodies / sizeof *bodies))

static NOINLINE void multiply(void) {
	for (int i = 0; i < SIDE; i++) {
		for (int j = 0; j < SIDE; j++) {
			double cell = 0;
			for (int k = 0; k < SIDE; k++) cell += a[i][k] * b[k][j];
			c[i][j] = cell;
		}
	}
}

static NOINLINE void multiply_single(void) {
	for (int i = 0; i < SIDE; i++) {
		for (int j = 0; j < SIDE; j++) {
			float cell = 0;
			for (int k = 0; k < SIDE; k++) cell += fa[i][k] * fb[k][j];
			fc[i][j] = cell;
		}
	}
}

static NOINLINE void advance(double dt) {
	for (int i = 0; i < BODIES; i++) {
		Body *p = &bodies[i];
		for (int j = i + 1; j < BODIES; j++) {
			Body *q = &bodies[j];
			double d[3], square = 0;
			for (int k = 0; k < 3; k++) {
				d[k] = p->at[k] - q->at[k];
				square += d[k] * d[k];
			}
			const double pull = dt / (square * __builtin_sqrt(square));
			for (int k = 0; k < 3; k++) {
				p->speed[k] -= d[k] * q->mass * pull;
				q->speed[k] += d[k] * p->mass * pull;
			}
		}
	}
	for (int i = 0; i < BODIES; i++) {
		for (int k = 0; k < 3; k++) bodies[i].at[k] += dt * bodies[i].speed[k];
	}
}

static NOINLINE double dot_signs(const double *x, const double *y, int size) {
	double s0 = 1, s1 = 1, s2 = 1, s3 = 1;
	for (int i = 0; i < size; i++) {
		s0 = x[i] * y[i] + s0;
		s1 = x[i] * y[i] - s1;
		s2 = s2 - x[i] * y[i];
		s3 = -(x[i] * y[i]) - s3;
	}
	return s0 + 2 * s1 + 3 * s2 + 5 * s3;
}

static NOINLINE double exponential(double x) {
	double sum = 0;
	for (int i = 0; i < 500; i++, x += 0.001) {
		double term = 1.0 / 40320;
		static const double next[] = {1.0 / 5040, 1.0 / 720, 1.0 / 120, 1.0 / 24, 1.0 / 6, 0.5, 1, 1};
		for (int k = 0; k < 8; k++) term = term * x + next[k];
		sum += term;
	}
	return sum;
}

static uint64_t bits(double value) {
	uint64_t result;
	__builtin_memcpy(&result, &value, 8);
	return result;
}

const uint64_t default_rounds = 300;

uint64_t bench(uint64_t rounds) {
	uint64_t sum = 0;
	for (int i = 0; i < SIDE; i++) {
		for (int j = 0; j < SIDE; j++) {
			a[i][j] = 1.0 / (i + j + 1);
			b[i][j] = i * 0.25 - j * 0.125 + 0.01;
			fa[i][j] = 1.0f / (float)(i + 2 * j + 1);
			fb[i][j] = (float)i * 0.5f - (float)j * 0.25f + 0.01f;
		}
	}
	for (uint64_t round = 0; round < rounds; round++) {
		multiply();
		multiply_single();
		for (int i = 0; i < 200; i++) advance(0.001);
		sum = mix(sum, bits(c[round % SIDE][round * 7 % SIDE]));
		sum = mix(sum, bits((double)fc[round * 5 % SIDE][round % SIDE]));
		sum = mix(sum, bits(bodies[round % (uint64_t)BODIES].at[0]));
		sum = mix(sum, bits(dot_signs(&a[0][0], &b[0][0], SIDE * SIDE)));
		sum = mix(sum, bits(exponential(0.5)));
		a[round % SIDE][1] += 0.001;
		fa[round % SIDE][2] += 0.001f;
	}
	return sum;
}
