// Expected values: RISC-V SBI 2.0, "RFENCE Extension".
import { Slot } from '@partita/cpu';
import { describe, expect, test } from 'vitest';
import { type FirmwareHart, Sbi } from './index.ts';
import { RAM, SbiBoard } from './testing/sbi-board.ts';

const RFENCE = 0x5246_4e43;
const HSM = 0x48_534d;
const NONE = 0xffff_ffff_ffff_ffffn;
const A0 = Slot.x + 10;

/** Flushes that were asked for: hart, kind, address, id, and the VMID that hgatp then named. */
type Flush = [number, string, bigint | undefined, bigint | undefined, bigint];

function recorder(harts: number) {
	const flushes: Flush[] = [];
	const nothing = (): void => {};
	const states = Array.from({ length: harts }, () => new BigUint64Array(256));
	const parts = states.map(
		(state, id): FirmwareHart => ({
			state,
			ports: {
				flush: (kind, address, space) => {
					flushes.push([id, kind, address, space, (state[Slot.hgatp]! >> 44n) & 0x3fffn]);
				},
				interruptsChanged: nothing,
				timerChanged: nothing,
				protectionChanged: nothing,
			},
			stateChanged: nothing,
			enterTrap: nothing,
		}),
	);
	const sbi = new Sbi({
		harts: parts,
		memory: { read: () => true, write: () => true },
		console: { write: nothing, read: () => new Uint8Array(0) },
		reset: nothing,
	});
	sbi.initialise(0, 0n, 0n);
	states.forEach((state, id) => {
		state[Slot.hgatp] = (8n << 60n) | (BigInt(id + 100) << 44n) | 0x1234n;
	});
	const call = (id: number, ...args: bigint[]): bigint => {
		const state = states[0]!;
		args.forEach((value, index) => {
			state[A0 + index] = value;
		});
		state[A0 + 6] = BigInt(id);
		state[A0 + 7] = BigInt(RFENCE);
		sbi.handleTrap(0, { cause: 9, interrupt: false, value: 0n, guest: undefined });
		return BigInt.asIntN(64, state[A0]!);
	};
	return { flushes, call, states };
}

test.each<[number, string, bigint | undefined]>([
	[1, 'vma', undefined],
	[2, 'vma', 0x2345n],
	[3, 'gvma', 0x2345n],
	[4, 'gvma', undefined],
	[5, 'vvma', 0x2345n],
	[6, 'vvma', undefined],
])('function %i is %s, of id %s', (id, kind, space) => {
	const { flushes, call } = recorder(3);
	expect(call(id, 0b101n, 0n, 0n, 0n, 0x1_0000_2345n)).toBe(0n);
	expect(flushes.map(([hart, what, address, asid]) => [hart, what, address, asid])).toEqual([
		[0, kind, undefined, space],
		[2, kind, undefined, space],
	]);
});

test('an HFENCE.VVMA is of the VMID of the caller; the target keeps its own', () => {
	const { flushes, call, states } = recorder(3);
	call(6, 0b110n, 0n, 0n, 0n);
	expect(flushes.map(([hart, , , , vmid]) => [hart, vmid])).toEqual([
		[1, 100n],
		[2, 100n],
	]);
	expect(states.map((state) => (state[Slot.hgatp]! >> 44n) & 0x3fffn)).toEqual([100n, 101n, 102n]);
});

test.each<[string, bigint, bigint, (bigint | undefined)[]]>([
	['a byte', 0x1234n, 1n, [0x1000n]],
	['two bytes in two pages', 0x1fffn, 2n, [0x1000n, 0x2000n]],
	['three pages', 0x1000n, 0x3000n, [0x1000n, 0x2000n, 0x3000n]],
	['nothing at an address', 0x5000n, 0n, []],
	['everything, as zeros', 0n, 0n, [undefined]],
	['everything, as all ones', 0x1234_5000n, NONE, [undefined]],
	['many pages', 0x1000n, 0x1_0001n, [undefined]],
	['up to the top', NONE - 0xfffn, 0x1000n, [NONE - 0xfffn]],
])('range: %s', (_what, start, size, addresses) => {
	const { flushes, call } = recorder(1);
	expect(call(1, 1n, 0n, start, size)).toBe(0n);
	expect(flushes.map(([, , address]) => address)).toEqual(addresses);
});

test('a range that wraps round, and harts that there are not, are refused', () => {
	const { flushes, call } = recorder(2);
	for (const id of [1, 2, 3, 4, 5, 6]) {
		expect(call(id, 1n, 0n, NONE, 2n, 0n)).toBe(-5n);
		expect(call(id, 1n, 0n, 0x1000n, NONE - 1n, 0n)).toBe(-5n);
		expect(call(id, 0b100n, 0n, 0n, 0n, 0n)).toBe(-3n);
	}
	expect(call(0, 0b100n, 0n)).toBe(-3n);
	expect(flushes).toEqual([]);
	expect(call(0, 0n, NONE)).toBe(0n);
});

describe('on real harts', () => {
	// A gigapage maps RAM at its own address, and a second level-1 entry of a table maps a window that moves.
	const ROOT = RAM + 0x10_000;
	const TABLE = RAM + 0x11_000;
	const LEAVES = RAM + 0x12_000;
	const WINDOW = 0x4000_0000n;

	function writeWord(board: SbiBoard, address: number, value: bigint): void {
		const bytes = new Uint8Array(8);
		new DataView(bytes.buffer).setBigUint64(0, value, true);
		board.memory.load(address, bytes);
	}

	const pointer = (address: number) => BigInt(Math.floor(address / 4096)) * 1024n + 1n;
	const leaf = (address: number) => BigInt(Math.floor(address / 4096)) * 1024n + 0xcfn;

	/** A board whose hart 1 loads s2 from the window, which is on a page that holds 1. */
	function mapped() {
		const board = new SbiBoard(2);
		board.start(`
			li    t0, ${WINDOW}
			ld    s2, (t0)
		1:	j     1b
		`);
		writeWord(board, ROOT + 8 * 2, leaf(RAM));
		writeWord(board, ROOT + 8, pointer(TABLE));
		writeWord(board, TABLE, pointer(LEAVES));
		writeWord(board, LEAVES, leaf(RAM + 0x20_000));
		writeWord(board, RAM + 0x20_000, 1n);
		writeWord(board, RAM + 0x21_000, 2n);
		board.call(HSM, 0, [1n, BigInt(RAM), 0n]);
		const load = (): bigint => {
			const hart = board.engine.select(1);
			hart.state[Slot.satp] = (8n << 60n) | BigInt(ROOT / 4096);
			hart.state[Slot.pc] = BigInt(RAM);
			hart.stateChanged();
			hart.run(10);
			return hart.state[18]!;
		};
		expect(load()).toBe(1n);
		writeWord(board, LEAVES, leaf(RAM + 0x21_000));
		// The old translation is still cached, which makes what is expected afterwards mean something.
		expect(load()).toBe(1n);
		return { board, load };
	}

	test.each<[string, bigint[], bigint]>([
		['all of it', [0n, 0n], 2n],
		['its page', [WINDOW, 0x1000n], 2n],
		['another page', [WINDOW + 0x1000n, 0x1000n], 1n],
	])('a parked hart sees a new mapping after a remote fence of %s', (_what, range, expected) => {
		const { board, load } = mapped();
		expect(board.call(RFENCE, 1, [0b10n, 0n, ...range])).toEqual([0n, 0n]);
		expect(load()).toBe(expected);
	});

	test('translations of a hart that stops do not outlive its next start', () => {
		const { board, load } = mapped();
		const { state } = board.harts[1]!;
		state[Slot.satp] = 0n;
		board.harts[1]!.stateChanged();
		expect(board.call(HSM, 1, [], 1)).toBeUndefined();
		expect(board.call(HSM, 0, [1n, BigInt(RAM), 0n])).toEqual([0n, 0n]);
		expect(load()).toBe(2n);
	});
});
