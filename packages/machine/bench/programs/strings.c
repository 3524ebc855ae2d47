// Strings and structs, many small calls: a table of records by name, records that are copied whole, numbers that are
// printed and parsed, words that are compared, joined and searched. What systems code does all day.
#include "program.h"

#define NAME 32
#define RECORDS 192
#define BUCKETS 64

typedef enum { ENGINEER, CLERK, DRIVER, RETIRED } Role;

typedef struct Record {
	struct Record *next;
	char name[NAME];
	Role role;
	int32_t age;
	int64_t salary;
	struct {
		int16_t day, month;
		int32_t year;
	} since;
} Record;

static Record records[RECORDS];
static Record *buckets[BUCKETS];
static Record archive[16];

static NOINLINE size_t length(const char *s) {
	const char *start = s;
	while (*s) s++;
	return (size_t)(s - start);
}

static NOINLINE char *copy(char *to, const char *from) {
	while ((*to = *from)) {
		to++;
		from++;
	}
	return to;
}

static NOINLINE int compare(const char *a, const char *b) {
	while (*a && *a == *b) {
		a++;
		b++;
	}
	return (uint8_t)*a - (uint8_t)*b;
}

static NOINLINE const char *find(const char *text, const char *word) {
	const size_t size = length(word);
	for (; *text; text++) {
		size_t i = 0;
		while (i < size && text[i] == word[i]) i++;
		if (i == size) return text;
	}
	return NULL;
}

static NOINLINE uint32_t hash(const char *s) {
	uint32_t h = 2166136261u;
	while (*s) h = (h ^ (uint8_t)*s++) * 16777619u;
	return h;
}

static NOINLINE char *print_number(char *to, int64_t value) {
	char digits[20];
	int count = 0;
	uint64_t rest = value < 0 ? -(uint64_t)value : (uint64_t)value;
	if (value < 0) *to++ = '-';
	do {
		digits[count++] = (char)('0' + rest % 10);
		rest /= 10;
	} while (rest);
	while (count) *to++ = digits[--count];
	*to = 0;
	return to;
}

static NOINLINE const char *parse_number(const char *s, int64_t *value) {
	const int negative = *s == '-';
	uint64_t v = 0;
	if (negative) s++;
	while (*s >= '0' && *s <= '9') v = v * 10 + (uint64_t)(*s++ - '0');
	*value = (int64_t)(negative ? -v : v);
	return s;
}

static NOINLINE Record *look_up(const char *name) {
	for (Record *r = buckets[hash(name) % BUCKETS]; r; r = r->next) {
		if (compare(r->name, name) == 0) return r;
	}
	return NULL;
}

static NOINLINE void insert(Record *r) {
	Record **bucket = &buckets[hash(r->name) % BUCKETS];
	r->next = *bucket;
	*bucket = r;
}

static NOINLINE Record raised(Record r, int percent) {
	r.salary += r.salary * percent / 100;
	r.age++;
	return r;
}

static NOINLINE int tax(const Record *r) {
	switch (r->role) {
	case ENGINEER: return r->salary > 5000 ? 30 : 20;
	case CLERK: return 18;
	case DRIVER: return r->age > 50 ? 12 : 15;
	default: return 5;
	}
}

static NOINLINE void later(Record *r, int days) {
	r->since.day = (int16_t)(r->since.day + days);
	while (r->since.day > 30) {
		r->since.day = (int16_t)(r->since.day - 30);
		if (++r->since.month > 12) {
			r->since.month = 1;
			r->since.year++;
		}
	}
}

static NOINLINE void describe(char *to, const Record *r) {
	to = copy(to, r->name);
	*to++ = ' ';
	to = print_number(to, r->salary);
	*to++ = ' ';
	to = print_number(to, r->age);
	*to++ = ' ';
	print_number(to, r->since.year);
}

static NOINLINE uint64_t read_back(const char *line) {
	int64_t salary, age, year;
	const char *s = line;
	while (*s != ' ') s++;
	s = parse_number(s + 1, &salary);
	s = parse_number(s + 1, &age);
	parse_number(s + 1, &year);
	return (uint64_t)(salary * 31 + age * 7 + year);
}

const uint64_t default_rounds = 7000;

uint64_t bench(uint64_t rounds) {
	static const char *const first[] = {"ada", "alan", "barbara", "dennis", "edsger", "grace", "ken", "tony"};
	static const char *const last[] = {"lovelace", "turing", "liskov", "ritchie", "dijkstra", "hopper", "thompson", "hoare"};
	for (int i = 0; i < RECORDS; i++) {
		Record *r = &records[i];
		char *end = copy(r->name, first[i & 7]);
		*end++ = '_';
		end = copy(end, last[i >> 3 & 7]);
		print_number(end, i);
		r->role = (Role)(i & 3);
		r->age = 20 + i % 45;
		r->salary = 2500 + i * 17 % 4000;
		r->since.day = 1;
		r->since.month = 1;
		r->since.year = 1970;
		insert(r);
	}
	uint64_t sum = 0;
	for (uint64_t round = 0; round < rounds; round++) {
		for (int i = 0; i < RECORDS; i += 2) {
			char line[96], key[NAME];
			copy(key, records[(i * 7 + (int)round) % RECORDS].name);
			Record *r = look_up(key);
			archive[i & 15] = *r;
			Record *next = r->next;
			*r = raised(*r, tax(r) & 3);
			r->next = next;
			if (r->salary > 9000) r->salary -= 6500;
			later(r, i & 31);
			describe(line, r);
			sum += read_back(line) + length(line);
			if (find(line, "_h")) sum = mix(sum, (uint64_t)archive[i & 15].salary);
			if (compare(line, key) > 0) sum += (uint64_t)tax(&archive[(i + 5) & 15]);
		}
		sum = mix(sum, round);
	}
	return sum;
}
