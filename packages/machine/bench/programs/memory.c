// Pointer chasing through 8 MiB of nodes, with some locality and with none, and copies of 1 MiB by words, by bytes and
// between unequal alignments: what the translation of addresses costs.
#include "program.h"

#define NODES (1 << 18)
#define WORDS (1 << 17)

typedef struct Node {
	struct Node *near, *far;
	uint64_t value[2];
} Node;

static Node nodes[NODES];
static uint64_t from[WORDS], to[WORDS];

static NOINLINE uint64_t chase_near(const Node *node, int steps) {
	uint64_t sum = 0;
	while (steps--) {
		sum += node->value[0];
		node = node->near;
	}
	return sum;
}

static NOINLINE uint64_t chase_far(const Node *node, int steps) {
	uint64_t sum = 0;
	while (steps--) {
		sum ^= node->value[1];
		node = node->far;
	}
	return sum;
}

static NOINLINE void copy_words(uint64_t *d, const uint64_t *s, int words) {
	for (; words >= 8; words -= 8, d += 8, s += 8) {
		const uint64_t a = s[0], b = s[1], c = s[2], e = s[3], f = s[4], g = s[5], h = s[6], i = s[7];
		d[0] = a, d[1] = b, d[2] = c, d[3] = e, d[4] = f, d[5] = g, d[6] = h, d[7] = i;
	}
	while (words--) *d++ = *s++;
}

static NOINLINE void copy_bytes(uint8_t *d, const uint8_t *s, int bytes) {
	while (bytes--) {
		*d++ = *s++;
		__asm__ volatile("" ::: "memory");
	}
}

const uint64_t default_rounds = 4;

uint64_t bench(uint64_t rounds) {
	uint64_t sum = 0, random = 2463534242u;
	for (uint32_t i = 0; i < NODES; i++) {
		// One cycle through all nodes each (Hull and Dobell 1962); the near one stays within 64 KiB for long.
		const uint32_t window = i & ~2047u, within = (i * 5 + 1) & 2047;
		nodes[i].near = &nodes[within == 0 ? (window + 2048) & (NODES - 1) : window + within];
		nodes[i].far = &nodes[(i * 1664525u + 1013904223u) & (NODES - 1)];
		nodes[i].value[0] = i;
		nodes[i].value[1] = next_random(&random);
	}
	for (int i = 0; i < WORDS; i++) from[i] = next_random(&random);
	for (uint64_t round = 0; round < rounds; round++) {
		sum = mix(sum, chase_near(&nodes[round], 1500000));
		sum = mix(sum, chase_far(&nodes[round], 500000));
		for (int i = 0; i < 6; i++) {
			copy_words(to, from, WORDS);
			copy_words(from + 8, to, WORDS - 8);
		}
		copy_bytes((uint8_t *)to + (round & 7), (uint8_t *)from + 3, WORDS * 8 - 16);
		for (int i = 0; i < 4096; i++) sum += to[next_random(&random) % WORDS];
		from[round] ^= sum;
	}
	return sum;
}
