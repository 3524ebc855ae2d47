// Page tables that point at devices: a page table entry can only be read from memory, so the access faults, and the
// device is not touched. A page that maps a device is another matter: that is how drivers reach it.
import { asmWith, exceptions, type Program } from '@partita/riscv';
import { describe, expect, test } from 'vitest';
import { Machine } from '../src/index.ts';

const RAM = 0x8000_0000;
/** A page table of one's own. */
const TABLE = RAM + 0x10_0000;
const UART = 0x1000_0000;
const FINISHER = 0x10_0000;
const SV39 = 8n << 60n;
const POINTER = 1n;
const READ_WRITE = 0xc7n;
const EXECUTE = 0xc9n;
const READ_ONLY = 0x43n;

/** In S-mode with this satp: loads, stores or jumps; the trap's cause becomes the exit code, 99 where there is none. */
function program(root: number, access: string): Program {
	return asmWith({ base: BigInt(RAM) })`
		la   t0, trapped
		csrw mtvec, t0
		li   t0, -1
		csrw pmpaddr0, t0
		li   t0, 0x1f
		csrw pmpcfg0, t0
		li   t0, ${SV39 | BigInt(root >>> 12)}
		csrw satp, t0
		sfence.vma
		li   a1, 0x40000000
		${access}
		li   a0, 99
		j    report
		.balign 4
	trapped:
		csrr a0, mcause
	report:
		li   t0, 0x20000
		csrc mstatus, t0
		slli a0, a0, 16
		li   t1, 0x3333
		or   a0, a0, t1
		li   t0, ${FINISHER}
		sw   a0, 0(t0)
		j    .
	`;
}

/** With the data access made as S-mode would make it. */
const AS_SUPERVISOR = `
		li   t0, 0x21800
		csrc mstatus, t0
		li   t0, 0x20800
		csrs mstatus, t0
`;
const LOAD = `${AS_SUPERVISOR}\n lbu a2, 0(a1)`;
const STORE = `${AS_SUPERVISOR}\n sb zero, 0(a1)`;
const FETCH = `
		csrw mepc, a1
		li   t0, 0x1800
		csrc mstatus, t0
		li   t0, 0x0800
		csrs mstatus, t0
		mret
`;

function run(
	root: number,
	access: string,
	entries: readonly (readonly [address: number, entry: bigint])[] = [],
): { code: number; printed: number } {
	let printed = 0;
	const machine = new Machine({
		memory: 4 * 2 ** 20,
		images: { firmware: 'none', kernel: program(root, access).bytes },
		console: () => {
			printed++;
		},
	});
	for (const [address, entry] of entries) {
		const bytes = new Uint8Array(8);
		new DataView(bytes.buffer).setBigUint64(0, entry, true);
		machine.memory.load(address, bytes);
	}
	const result = machine.run(10_000);
	if (result.reason !== 'ended') throw new Error(`the guest did not end: ${result.reason}`);
	return { code: result.ending.code, printed };
}

const entry = (address: number, flags: bigint): bigint => (BigInt(address >>> 12) << 10n) | flags;
/** Of virtual address 0x40000000: entry 1 of the root. */
const ROOT_ENTRY = TABLE + 8;

const WHERE: readonly (readonly [string, number])[] = [
	['the UART', UART],
	['the test finisher', FINISHER],
	['the ACLINT', 0x200_0000],
	['the PLIC', 0xc00_0000],
	['a virtio window', 0x1000_1000],
	['nothing', 0x4000_0000],
	['beyond RAM', RAM + 4 * 2 ** 20],
];

describe.each(WHERE)('a page table at %s', (_, address) => {
	test.each([
		['load', LOAD, exceptions.LoadAccessFault],
		['store', STORE, exceptions.StoreAccessFault],
		['fetch', FETCH, exceptions.InstructionAccessFault],
	] as const)('makes a %s an access fault: the root, and a table below it', (_name, access, cause) => {
		expect(run(address, access)).toEqual({ code: cause, printed: 0 });
		expect(run(TABLE, access, [[ROOT_ENTRY, entry(address, POINTER)]])).toEqual({ code: cause, printed: 0 });
	});
});

describe('a page that maps a device', () => {
	/** Three levels, to map the 4 KiB of one device. */
	const mapping = (address: number, flags: bigint): [number, bigint][] => [
		[ROOT_ENTRY, entry(TABLE + 0x1000, POINTER)],
		[TABLE + 0x1000, entry(TABLE + 0x2000, POINTER)],
		[TABLE + 0x2000, entry(address, flags)],
	];

	test('reaches the device', () => {
		expect(run(TABLE, STORE, mapping(UART, READ_WRITE))).toEqual({ code: 99, printed: 1 });
	});

	test('cannot be executed', () => {
		expect(run(TABLE, FETCH, mapping(UART, EXECUTE)).code).toBe(exceptions.InstructionAccessFault);
	});

	test('is not reached where the entry forbids it', () => {
		expect(run(TABLE, STORE, mapping(UART, READ_ONLY))).toEqual({ code: exceptions.StorePageFault, printed: 0 });
	});
});
