// The user's side of system-calls.c: calls that do nothing, that pass a buffer in, and that pass one out.
#include "process.h"
#include "system-calls.h"

static char message[MESSAGE];

_Noreturn void user_main(uint64_t rounds) {
	uint64_t sum = 0;
	for (uint64_t round = 0; round < rounds; round++) {
		for (int i = 0; i < 6; i++) sum = mix(sum, system_call(CALL_COUNT, round, 0));
		sum = mix(sum, system_call(CALL_READ, (uint64_t)message, MESSAGE));
		for (int i = 0; i < MESSAGE; i++) message[i] = (char)(message[i] * 3 + (char)round);
		sum = mix(sum, system_call(CALL_WRITE, (uint64_t)message, MESSAGE));
	}
	system_call(CALL_EXIT, sum, 0);
	__builtin_unreachable();
}
