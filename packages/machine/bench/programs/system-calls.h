// The system calls of system-calls.c.
enum { CALL_COUNT, CALL_WRITE, CALL_READ, CALL_EXIT };
#define MESSAGE 64
