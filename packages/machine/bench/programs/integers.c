// Integer mix: table-driven and bitwise checksums, sorting, a matrix product of halfwords, a scanner of numbers, lists,
// division, and a stream cipher's quarter rounds. Short loops, short branches, data within a few pages.
#include "program.h"

#define BYTES 4096
#define WORDS 1024
#define SIDE 40
#define ITEMS 512

typedef struct Item {
	struct Item *next;
	int32_t value;
} Item;

static uint32_t crc_table[256];
static uint8_t text[BYTES];
static uint32_t words[WORDS];
static int16_t left[SIDE][SIDE], right[SIDE][SIDE];
static int32_t product[SIDE][SIDE];
static Item items[ITEMS];

static void make_crc_table(void) {
	for (uint32_t i = 0; i < 256; i++) {
		uint32_t c = i;
		for (int bit = 0; bit < 8; bit++) c = c & 1 ? 0xedb88320u ^ c >> 1 : c >> 1;
		crc_table[i] = c;
	}
}

static NOINLINE uint32_t crc(const uint8_t *bytes, int size, uint32_t sum) {
	sum = ~sum;
	for (int i = 0; i < size; i++) sum = crc_table[(sum ^ bytes[i]) & 255] ^ sum >> 8;
	return ~sum;
}

static NOINLINE uint32_t crc_bitwise(uint16_t value, uint32_t sum) {
	for (int bit = 0; bit < 16; bit++, value >>= 1) sum = (sum ^ value) & 1 ? sum >> 1 ^ 0xa001 : sum >> 1;
	return sum;
}

static NOINLINE void heap_sort(uint32_t *a, int size) {
	int start = size / 2, end = size;
	for (;;) {
		uint32_t value;
		if (start > 0) value = a[--start];
		else {
			if (--end == 0) return;
			value = a[end];
			a[end] = a[0];
		}
		int hole = start;
		for (int child; (child = hole * 2 + 1) < end; hole = child) {
			if (child + 1 < end && a[child + 1] > a[child]) child++;
			if (a[child] <= value) break;
			a[hole] = a[child];
		}
		a[hole] = value;
	}
}

static NOINLINE int32_t multiply(void) {
	int32_t sum = 0;
	for (int i = 0; i < SIDE; i++) {
		for (int j = 0; j < SIDE; j++) {
			int32_t cell = 0;
			for (int k = 0; k < SIDE; k++) cell += left[i][k] * right[k][j];
			product[i][j] = cell;
			sum += cell >> 3;
		}
	}
	return sum;
}

// Counts integers, fractions, numbers with exponents, and what is none of these.
static NOINLINE uint64_t scan(const uint8_t *bytes, int size) {
	enum { START, SIGN, INTEGER, FRACTION, EXPONENT, POWER, OTHER } state = START;
	uint64_t counts[7] = {0};
	for (int i = 0; i < size; i++) {
		const uint8_t c = bytes[i];
		const int digit = c >= '0' && c <= '9';
		if (c == ',') {
			counts[state]++;
			state = START;
			continue;
		}
		switch (state) {
		case START: state = digit ? INTEGER : c == '-' || c == '+' ? SIGN : c == '.' ? FRACTION : OTHER; break;
		case SIGN: state = digit ? INTEGER : c == '.' ? FRACTION : OTHER; break;
		case INTEGER: state = digit ? INTEGER : c == '.' ? FRACTION : c == 'e' ? EXPONENT : OTHER; break;
		case FRACTION: state = digit ? FRACTION : c == 'e' ? EXPONENT : OTHER; break;
		case EXPONENT: state = digit || c == '-' ? POWER : OTHER; break;
		case POWER: state = digit ? POWER : OTHER; break;
		case OTHER: break;
		}
	}
	uint64_t sum = 0;
	for (int i = 0; i < 7; i++) sum = sum * 131 + counts[i];
	return sum;
}

static NOINLINE int lists(int seed) {
	Item *head = NULL;
	for (int i = 0; i < ITEMS; i++) {
		items[i] = (Item){head, i * seed & 1023};
		head = &items[i];
	}
	Item *reversed = NULL;
	while (head) {
		Item *next = head->next;
		head->next = reversed;
		reversed = head;
		head = next;
	}
	int sum = 0;
	for (int wanted = 0; wanted < 1000; wanted += 250) {
		for (const Item *item = reversed; item; item = item->next) sum += item->value == wanted ? wanted : item->value & 3;
	}
	return sum;
}

static NOINLINE uint64_t divide(uint64_t seed) {
	uint64_t sum = 0;
	for (int i = 1; i < 200; i++) {
		const uint64_t divisor = (seed >> (i & 31)) + i;
		sum += seed / divisor + (uint64_t)((int64_t)(seed * i) % (int64_t)(i + 3)) + (uint32_t)seed / (uint32_t)i;
		seed = seed * 6364136223846793005ull + sum % divisor;
	}
	return sum;
}

static inline uint32_t rotate32(uint32_t value, int by) {
	return value << by | value >> (32 - by);
}

static NOINLINE uint32_t cipher(uint32_t seed) {
	uint32_t s[4] = {seed, 0x61707865, 0x3320646e, 0x79622d32};
	for (int i = 0; i < 600; i++) {
		s[0] += s[1];
		s[3] = rotate32(s[3] ^ s[0], 16);
		s[2] += s[3];
		s[1] = rotate32(s[1] ^ s[2], 12);
		s[0] += s[1];
		s[3] = rotate32(s[3] ^ s[0], 8);
		s[2] += s[3];
		s[1] = rotate32(s[1] ^ s[2], 7);
	}
	return s[0] ^ s[1] ^ s[2] ^ s[3];
}

const uint64_t default_rounds = 2500;

uint64_t bench(uint64_t rounds) {
	uint64_t sum = 0, random = 88172645463325252ull;
	make_crc_table();
	for (int i = 0; i < BYTES; i++) text[i] = "0123456789+-.e,,,0123z"[next_random(&random) % 22];
	for (int i = 0; i < SIDE; i++) {
		for (int j = 0; j < SIDE; j++) {
			left[i][j] = (int16_t)(i * 3 + j);
			right[i][j] = (int16_t)(i ^ j);
		}
	}
	for (uint64_t round = 0; round < rounds; round++) {
		sum = mix(sum, crc(text, BYTES, (uint32_t)round));
		for (int i = 0; i < WORDS; i++) words[i] = (uint32_t)next_random(&random);
		heap_sort(words, WORDS);
		sum = mix(sum, words[round % WORDS]);
		sum = mix(sum, (uint64_t)multiply());
		sum = mix(sum, scan(text, BYTES));
		sum = mix(sum, (uint64_t)lists((int)round));
		uint32_t bits = (uint32_t)sum & 0xffff;
		for (int i = 0; i < 256; i++) bits = crc_bitwise((uint16_t)words[i], bits);
		sum = mix(sum, bits);
		sum = mix(sum, divide(sum | 1));
		sum = mix(sum, cipher((uint32_t)sum));
		left[round % SIDE][3]++;
		text[round % BYTES] ^= 1;
	}
	return sum;
}
