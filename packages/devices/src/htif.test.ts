// The commands that riscv-tests, its benchmarks and OpenSBI send, as Spike answers them.
import { expect, test } from 'vitest';
import { Htif, StateError } from './index.ts';
import { MockConsole, MockMemory, MockObserver } from './testing/index.ts';

const BASE = 0x8000_0000;
const TOHOST = BASE + 0x1000;
const FROMHOST = BASE + 0x1040;
const MAGIC = BASE + 0x2000;

function board(fromhost: number | undefined = FROMHOST) {
	const memory = new MockMemory(BASE, 0x20000);
	const console = new MockConsole();
	const observer = new MockObserver();
	const exits: number[] = [];
	const htif = new Htif({
		memory,
		tohost: TOHOST,
		...(fromhost === undefined ? {} : { fromhost }),
		port: { exit: (code) => exits.push(code) },
		console,
		inputCapacity: 32,
		observer,
	});
	const send = (device: number, command: number, payload: number) => {
		memory.store(TOHOST, 4, payload % 2 ** 32);
		memory.store(TOHOST + 4, 4, (device << 24) | (command << 16) | Math.floor(payload / 2 ** 32));
		htif.poll();
	};
	const call = (...words: (number | bigint)[]) => {
		words.forEach((word, index) => {
			const bytes = new Uint8Array(new BigUint64Array([BigInt.asUintN(64, BigInt(word))]).buffer);
			memory.write(MAGIC + 8 * index, bytes);
		});
		send(0, 0, MAGIC);
		return new BigInt64Array(memory.bytes(MAGIC, 8).buffer)[0];
	};
	return { memory, console, observer, exits, htif, send, call };
}

test('an odd payload ends the guest with the rest as its code', () => {
	const { memory, exits, send } = board();
	send(0, 0, 1);
	send(0, 0, (1337 << 1) | 1);
	expect(exits).toEqual([0, 1337]);
	expect(memory.load(TOHOST, 8)).toBe(0);
});

test('no command, no effect', () => {
	const { exits, htif, memory } = board();
	htif.poll();
	expect([exits, memory.load(FROMHOST, 8)]).toEqual([[], 0]);
});

test('console device: putchar prints, getchar answers once there is input and fromhost is free', () => {
	const { console, memory, htif, send } = board();
	send(1, 1, 0x48);
	expect(console.text).toBe('H');
	send(1, 0, 0);
	expect(memory.load(FROMHOST, 8)).toBe(0);
	expect(htif.receive(Uint8Array.of(0x61, 0x62))).toBe(2);
	expect(memory.load(FROMHOST, 4)).toBe(0x161);
	expect(memory.load(FROMHOST + 4, 4)).toBe(0x0100_0000);
	send(1, 0, 0);
	expect(memory.load(FROMHOST, 4)).toBe(0x161);
	memory.store(FROMHOST, 8, 0);
	htif.poll();
	expect(memory.load(FROMHOST, 4)).toBe(0x162);
});

test('system call 64 writes to the console and answers 1', () => {
	const { console, memory, call } = board();
	memory.write(BASE + 0x3000, new TextEncoder().encode('mcycle = 42\n'));
	expect(call(64, 1, BASE + 0x3000, 12)).toBe(12n);
	expect(console.text).toBe('mcycle = 42\n');
	expect(memory.load(FROMHOST, 8)).toBe(1);
});

test('system call errors: bad file, buffer outside RAM, unknown call', () => {
	const { console, call } = board();
	expect(call(64, 7, BASE, 1)).toBe(-9n);
	expect(call(64, 1, 0x1000, 1)).toBe(-14n);
	expect(call(64, 1, -8n, 1)).toBe(-14n);
	expect(call(64, 1, BASE + 0x1fff0, 0x20)).toBe(-14n);
	expect(call(64, 1, BASE + 0x1fff0, -1n)).toBe(-14n);
	expect(call(1000)).toBe(-38n);
	expect(console.text).toBe('');
});

test('a long write is taken in part', () => {
	const { console, call } = board();
	expect(call(64, 2, BASE, 0x20000)).toBe(65_536n);
	expect(console.bytes.length).toBe(65_536);
});

test('system call 93 ends the guest', () => {
	const { exits, call } = board();
	call(93, 5);
	expect(exits).toEqual([5]);
});

test('nonsense is reported, and nothing grows without bound', () => {
	const { htif, observer, send, call } = board();
	send(9, 9, 0);
	send(0, 0, 0x10);
	for (let count = 0; count < 100; count++) {
		call(1000);
		send(1, 0, 0);
	}
	expect(htif.state.responses.length).toBe(16);
	expect(htif.state.reads).toBe(16);
	expect(htif.receive(new Uint8Array(100))).toBe(32);
	expect(htif.room).toBe(0);
	expect(observer.of('guest-error').length).toBeGreaterThan(2);
});

test('without fromhost nothing is answered; addresses outside RAM are harmless', () => {
	const { console, memory, call } = board();
	memory.write(BASE + 0x3000, Uint8Array.of(0x2e));
	expect(call(64, 1, BASE + 0x3000, 1)).toBe(1n);
	expect(console.text).toBe('.');
	const astray = new Htif({ memory, tohost: 0x10, fromhost: 0x18, port: { exit: () => {} } });
	astray.poll();
	astray.receive(Uint8Array.of(1));
	expect(astray.state.input.count).toBe(1);
});

test('a state moves to another HTIF; one that does not fit is refused', () => {
	const one = board();
	one.send(1, 0, 0);
	const two = board();
	two.htif.restore(structuredClone(one.htif.state));
	two.htif.receive(Uint8Array.of(0x7a));
	expect(two.memory.load(FROMHOST, 4)).toBe(0x17a);
	for (const change of [{ reads: 17 }, { responses: new Array(17).fill(0n) }, { responses: [1] }, { input: undefined }])
		expect(() => two.htif.restore({ ...one.htif.state, ...change } as never)).toThrow(StateError);
});
