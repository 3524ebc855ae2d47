// The system calls of ipc.c. A message is registers a0 to a3.
enum { CALL_CALL, CALL_REPLY_WAIT, CALL_EXIT };
enum { CLIENT, SERVER };
