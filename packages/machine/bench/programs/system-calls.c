// System calls in a row: U-mode to S-mode and back, with all registers saved, and buffers copied through the user's
// mappings (sstatus.SUM).
#include "process.h"
#include "system-calls.h"

#define SSTATUS_SUM (1ull << 18)

static Process process;
static uint64_t calls;
static uint8_t buffer[MESSAGE];

static uint64_t do_count(uint64_t x, uint64_t y) {
	return calls + x + y;
}

static uint64_t do_write(uint64_t address, uint64_t size) {
	if (address < USER || size > MESSAGE) return ~0ull;
	csr_set("sstatus", SSTATUS_SUM);
	memcpy(buffer, (const void *)address, size);
	csr_clear("sstatus", SSTATUS_SUM);
	uint64_t sum = 0;
	for (uint64_t i = 0; i < size; i++) sum = sum * 31 + buffer[i];
	return sum;
}

static uint64_t do_read(uint64_t address, uint64_t size) {
	if (address < USER || size > MESSAGE) return ~0ull;
	for (uint64_t i = 0; i < size; i++) buffer[i] = (uint8_t)(buffer[i] + i + calls);
	csr_set("sstatus", SSTATUS_SUM);
	memcpy((void *)address, buffer, size);
	csr_clear("sstatus", SSTATUS_SUM);
	return size;
}

static uint64_t do_exit(uint64_t sum, uint64_t unused) {
	(void)unused;
	finish(mix(sum, calls));
}

static uint64_t (*const table[])(uint64_t, uint64_t) = {
	[CALL_COUNT] = do_count, [CALL_WRITE] = do_write, [CALL_READ] = do_read, [CALL_EXIT] = do_exit};

Frame *trap(Frame *frame, uint64_t cause, uint64_t value) {
	const uint64_t number = frame->x[A7];
	if (cause != CAUSE_USER_CALL || number > CALL_EXIT) unexpected(cause, frame->pc, value);
	calls++;
	frame->pc += 4;
	frame->x[A0] = table[number](frame->x[A0], frame->x[A1]);
	return frame;
}

const uint64_t default_rounds = 70000;

uint64_t bench(uint64_t rounds) {
	make_process(&process, new_page, 2, rounds);
	enter(&process);
}
