// The system calls of address-spaces.c, and the memory that its processes find.
enum { CALL_FORK, CALL_EXEC, CALL_EXIT };

// Pages of these are zero when they are first touched.
#define HEAP 0x50000000
#define HEAP_PAGES 512
