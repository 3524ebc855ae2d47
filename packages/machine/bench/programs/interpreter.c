// Indirect jumps: one bytecode program run by three interpreters, with function pointers, a switch, and threaded code.
#include "program.h"

typedef enum { PUSH, LOAD, STORE, ADD, MULTIPLY, XOR, SHIFT, LESS, BRANCH, DUP, CALL, RETURN, HALT } Operation;

typedef struct Interpreter {
	const int32_t *pc;
	int64_t *sp;
	int64_t stack[64];
	int64_t variables[8];
	int running;
} Interpreter;

static Interpreter vm;

// v1 = i; for (v0 = 0; v0 < ROUNDS; v0++) v1 = step(v1, v0), where step is a call.
#define ITERATIONS 20000
#define STEP 30
static int32_t code[] = {
	PUSH, 0, STORE, 0, PUSH, 1, STORE, 1,
	/* 8 */ CALL, STEP, LOAD, 0, PUSH, 1, ADD, STORE, 0, LOAD, 0, PUSH, ITERATIONS, LESS, BRANCH, -16, HALT,
	/* 25 */ HALT, HALT, HALT, HALT, HALT,
	/* 30 */ LOAD, 1, DUP, PUSH, 7, SHIFT, XOR, PUSH, 31, MULTIPLY, LOAD, 0, ADD, STORE, 1, RETURN,
};

typedef void Handler(Interpreter *);
static void op_push(Interpreter *v) { *v->sp++ = *v->pc++; }
static void op_load(Interpreter *v) { *v->sp++ = v->variables[*v->pc++]; }
static void op_store(Interpreter *v) { v->variables[*v->pc++] = *--v->sp; }
static void op_add(Interpreter *v) { v->sp--; v->sp[-1] += *v->sp; }
static void op_multiply(Interpreter *v) { v->sp--; v->sp[-1] *= *v->sp; }
static void op_xor(Interpreter *v) { v->sp--; v->sp[-1] ^= *v->sp; }
static void op_shift(Interpreter *v) { v->sp--; v->sp[-1] = (int64_t)((uint64_t)v->sp[-1] >> (*v->sp & 63)); }
static void op_less(Interpreter *v) { v->sp--; v->sp[-1] = v->sp[-1] < *v->sp; }
static void op_branch(Interpreter *v) { const int32_t by = *v->pc++; if (*--v->sp) v->pc += by; }
static void op_dup(Interpreter *v) { v->sp[0] = v->sp[-1]; v->sp++; }
static void op_call(Interpreter *v) { const int32_t to = *v->pc++; *v->sp++ = v->pc - code; v->pc = code + to; }
static void op_return(Interpreter *v) { v->pc = code + *--v->sp; }
static void op_halt(Interpreter *v) { v->running = 0; }

static Handler *const handlers[] = {op_push, op_load, op_store, op_add, op_multiply, op_xor, op_shift, op_less, op_branch,
	op_dup, op_call, op_return, op_halt};

static NOINLINE int64_t by_pointers(Interpreter *v) {
	v->pc = code;
	v->sp = v->stack;
	v->running = 1;
	while (v->running) handlers[*v->pc++](v);
	return v->variables[1];
}

static NOINLINE int64_t by_switch(int64_t *sp, int64_t *variables) {
	const int32_t *pc = code;
	for (;;) {
		switch ((Operation)*pc++) {
		case PUSH: *sp++ = *pc++; break;
		case LOAD: *sp++ = variables[*pc++]; break;
		case STORE: variables[*pc++] = *--sp; break;
		case ADD: sp--; sp[-1] += *sp; break;
		case MULTIPLY: sp--; sp[-1] *= *sp; break;
		case XOR: sp--; sp[-1] ^= *sp; break;
		case SHIFT: sp--; sp[-1] = (int64_t)((uint64_t)sp[-1] >> (*sp & 63)); break;
		case LESS: sp--; sp[-1] = sp[-1] < *sp; break;
		case BRANCH: { const int32_t by = *pc++; if (*--sp) pc += by; break; }
		case DUP: sp[0] = sp[-1]; sp++; break;
		case CALL: { const int32_t to = *pc++; *sp++ = pc - code; pc = code + to; break; }
		case RETURN: pc = code + *--sp; break;
		case HALT: return variables[1];
		}
	}
}

static NOINLINE int64_t threaded(int64_t *sp, int64_t *variables) {
	static const void *const labels[] = {&&push, &&load, &&store, &&add, &&multiply, &&xor, &&shift, &&less, &&branch,
		&&dup, &&call, &&ret, &&halt};
	const int32_t *pc = code;
#define NEXT goto *labels[*pc++]
	NEXT;
push: *sp++ = *pc++; NEXT;
load: *sp++ = variables[*pc++]; NEXT;
store: variables[*pc++] = *--sp; NEXT;
add: sp--; sp[-1] += *sp; NEXT;
multiply: sp--; sp[-1] *= *sp; NEXT;
xor: sp--; sp[-1] ^= *sp; NEXT;
shift: sp--; sp[-1] = (int64_t)((uint64_t)sp[-1] >> (*sp & 63)); NEXT;
less: sp--; sp[-1] = sp[-1] < *sp; NEXT;
branch: { const int32_t by = *pc++; if (*--sp) pc += by; } NEXT;
dup: sp[0] = sp[-1]; sp++; NEXT;
call: { const int32_t to = *pc++; *sp++ = pc - code; pc = code + to; } NEXT;
ret: pc = code + *--sp; NEXT;
halt: return variables[1];
#undef NEXT
}

const uint64_t default_rounds = 36;

uint64_t bench(uint64_t rounds) {
	uint64_t sum = 0;
	for (uint64_t round = 0; round < rounds; round++) {
		code[5] = (int32_t)round;
		sum = mix(sum, (uint64_t)by_pointers(&vm));
		sum = mix(sum, (uint64_t)by_switch(vm.stack, vm.variables));
		sum = mix(sum, (uint64_t)threaded(vm.stack, vm.variables));
	}
	return sum;
}
