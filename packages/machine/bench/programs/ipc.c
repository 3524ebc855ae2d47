// Call and reply between two processes, as a microkernel does it: a trap, a message in registers, another address space
// by its ASID, without a flush.
#include "process.h"
#include "ipc.h"

static Process processes[2];
static int current;
static uint64_t calls;

static Frame *switch_to(int next) {
	Frame *const from = &processes[current].frame, *const to = &processes[next].frame;
	for (int i = A0; i <= A3; i++) to->x[i] = from->x[i];
	current = next;
	csr_write("satp", processes[next].satp);
	return to;
}

Frame *trap(Frame *frame, uint64_t cause, uint64_t value) {
	if (cause != CAUSE_USER_CALL) unexpected(cause, frame->pc, value);
	frame->pc += 4;
	switch (frame->x[A7]) {
	case CALL_CALL:
		if (current != CLIENT) break;
		calls++;
		return switch_to(SERVER);
	case CALL_REPLY_WAIT:
		if (current != SERVER) break;
		// The server's first call only waits: the client has not called yet, and starts.
		if (calls == 0) {
			current = CLIENT;
			csr_write("satp", processes[CLIENT].satp);
			return &processes[CLIENT].frame;
		}
		return switch_to(CLIENT);
	case CALL_EXIT:
		finish(mix(frame->x[A0], calls));
	}
	unexpected(cause, frame->pc, frame->x[A7]);
}

const uint64_t default_rounds = 160000;

uint64_t bench(uint64_t rounds) {
	make_process(&processes[CLIENT], new_page, 2, rounds);
	make_process(&processes[SERVER], new_page, 3, 0);
	current = SERVER;
	enter(&processes[SERVER]);
}
