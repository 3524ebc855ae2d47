// The console server over a UART model: lines, focus, bounds, hostile clients.
import * as fc from 'fast-check';
import { beforeEach, describe, expect, test } from 'vitest';
import {
	bytesMessage,
	CONSOLE_BYTES,
	ConsoleAnswer,
	ConsoleRequest,
	ConsoleServer,
	type ConsoleServerOptions,
	messageBytes,
} from '../src/index.ts';
import { Terminal, UART } from './support/terminal.ts';

const text = (bytes: Uint8Array | undefined): string => new TextDecoder().decode(bytes);
const encode = (value: string): Uint8Array => new TextEncoder().encode(value);

let terminal: Terminal;

function makeServer(names: readonly string[], more: Partial<ConsoleServerOptions> = {}): ConsoleServer {
	const clients = names.map((name, index) => ({ name, badge: BigInt(index + 1), notification: index + 1 }));
	const server = new ConsoleServer(
		{ uart: UART, interrupt: 7, interruptBadge: 1n, clients, ...more },
		terminal.environment,
	);
	server.init();
	return server;
}

function write(server: ConsoleServer, badge: bigint, value: string): number {
	const { label, words } = server.protected(badge, bytesMessage(ConsoleRequest.write, encode(value)));
	expect(label).toBe(ConsoleAnswer.done);
	return Number(words[0]);
}

function read(server: ConsoleServer, badge: bigint, most = CONSOLE_BYTES): string {
	return text(messageBytes(server.protected(badge, { label: ConsoleRequest.read, words: [BigInt(most)] })));
}

/** Interrupts as long as the UART asks for it. */
function interrupts(server: ConsoleServer): void {
	for (let rounds = 0; terminal.interrupt; rounds++) {
		expect(rounds).toBeLessThan(1000);
		server.notified(1n);
	}
}

beforeEach(() => {
	terminal = new Terminal();
});

describe('output', () => {
	test('of one client is shown as it is', () => {
		const server = makeServer(['only']);
		expect(write(server, 1n, 'one\ntwo')).toBe(7);
		expect(terminal.take()).toBe('one\ntwo');
	});

	test('of several goes into lines of their own, under their names', () => {
		const server = makeServer(['a', 'b']);
		write(server, 1n, 'first\n');
		write(server, 2n, 'prompt> ');
		write(server, 1n, 'second\nthird');
		write(server, 1n, ' goes on\n');
		write(server, 2n, 'answer\n');
		expect(terminal.take()).toBe('a| first\nb| prompt> \na| second\na| third goes on\nb| answer\n');
	});

	test('that the transmitter does not take waits for its interrupt', () => {
		const server = makeServer(['only']);
		terminal.stalled = true;
		expect(write(server, 1n, 'later')).toBe(5);
		expect(terminal.take()).toBe('');
		terminal.stalled = false;
		expect(terminal.interrupt).toBe(true);
		interrupts(server);
		expect(terminal.take()).toBe('later');
		expect(terminal.interrupt).toBe(false);
	});

	test('beyond the bound is refused, and the client is told when there is room', () => {
		const server = makeServer(['only'], { capacity: 8 });
		terminal.stalled = true;
		expect(write(server, 1n, '0123456789')).toBe(8);
		expect(write(server, 1n, '89')).toBe(0);
		expect(terminal.signals).toEqual([]);
		terminal.stalled = false;
		interrupts(server);
		expect(terminal.take()).toBe('01234567');
		expect(terminal.signals).toEqual([1]);
	});

	test('longer than the bound is taken where the transmitter keeps up', () => {
		const server = makeServer(['only'], { capacity: 8 });
		expect(write(server, 1n, 'x'.repeat(100))).toBe(100);
		expect(terminal.take()).toBe('x'.repeat(100));
	});

	test('costs the registers that it takes and a little computing', () => {
		const server = makeServer(['only']);
		terminal.nanos = 0;
		write(server, 1n, 'x'.repeat(100));
		expect(terminal.nanos).toBe(60 + 4 * 100);
	});
});

describe('input', () => {
	test('goes to the first client, which is told once, and asks', () => {
		const server = makeServer(['a', 'b']);
		terminal.type('hello');
		interrupts(server);
		expect(terminal.signals).toEqual([1]);
		expect(terminal.acknowledged).toBe(2);
		expect(read(server, 2n)).toBe('');
		expect(read(server, 1n, 3)).toBe('hel');
		expect(read(server, 1n)).toBe('lo');
		expect(read(server, 1n)).toBe('');
	});

	test('goes where Ctrl-\\ and a digit, or Tab, direct it', () => {
		const server = makeServer(['a', 'b', 'c']);
		write(server, 1n, 'unfinished');
		terminal.take();
		terminal.type('1\x1c1to b\x1c\tto c\x1c\tto a\x1c\x1c\x1c9!');
		interrupts(server);
		expect(read(server, 1n)).toBe('1to a\x1c!');
		expect(read(server, 2n)).toBe('to b');
		expect(read(server, 3n)).toBe('to c');
		const notices = ['b', 'c', 'a'].map((name) => `[console: input goes to ${name}]\n`);
		expect(terminal.take()).toBe(`\n${notices.join('')}`);
	});

	test('stays in the UART while there is no room, and its interrupt is off', () => {
		const server = makeServer(['only'], { capacity: 4 });
		terminal.type('0123456789');
		interrupts(server);
		expect(terminal.interrupt).toBe(false);
		let got = '';
		for (let rest = read(server, 1n); rest !== ''; rest = read(server, 1n)) got += rest;
		expect(got).toBe('0123456789');
		terminal.type('more');
		interrupts(server);
		expect(read(server, 1n)).toBe('more');
	});

	test('waits where there is no client, and comes to the next one', () => {
		const server = makeServer(['a']);
		server.removeClient(1n);
		terminal.type('early');
		interrupts(server);
		server.addClient({ name: 'late', badge: 9n, notification: 3 });
		server.notified(1n);
		expect(read(server, 9n)).toBe('early');
		expect(terminal.signals).toEqual([3]);
	});

	test('signals that are not the interrupt are ignored', () => {
		const server = makeServer(['a']);
		terminal.type('x');
		server.notified(6n);
		expect(read(server, 1n)).toBe('');
	});
});

describe('hostile clients', () => {
	test('are refused, and change nothing', () => {
		const server = makeServer(['a']);
		const before = server.state;
		for (const [badge, label, words] of [
			[2n, ConsoleRequest.write, [1n, 65n]],
			[1n, 99, [1n, 65n]],
			[1n, ConsoleRequest.write, []],
			[1n, ConsoleRequest.write, [9n, 65n]],
			[1n, ConsoleRequest.write, [0xffff_ffff_ffff_ffffn, 65n]],
			[1n, ConsoleRequest.read, []],
		] as const) {
			expect(server.protected(badge, { label, words })).toEqual({ label: ConsoleAnswer.refused, words: [] });
		}
		expect(server.state).toEqual(before);
		expect(terminal.take()).toBe('');
	});

	test('cannot ask for more than a message holds', () => {
		const server = makeServer(['a']);
		terminal.type('x'.repeat(2000));
		interrupts(server);
		const answer = server.protected(1n, { label: ConsoleRequest.read, words: [0xffff_ffff_ffff_ffffn] });
		expect(answer.words).toHaveLength(120);
	});

	test('whatever words they send, they get an answer', () => {
		const server = makeServer(['a', 'b']);
		fc.assert(
			fc.property(
				fc.bigInt(0n, 3n),
				fc.nat(3),
				fc.array(fc.bigInt(0n, 2n ** 64n - 1n), { maxLength: 120 }),
				(badge, label, words) => {
					const answer = server.protected(badge, { label, words });
					expect(answer.label).toBeOneOf([ConsoleAnswer.done, ConsoleAnswer.refused]);
				},
			),
		);
	});

	test.each([
		['', /client name ""/],
		['x\n', /client name/],
		['x'.repeat(33), /client name/],
	])('a client cannot be called %j', (name, reason) => {
		expect(() => makeServer([name])).toThrow(reason);
	});

	test('two clients cannot have one badge, and a capacity must be one', () => {
		const server = makeServer(['a']);
		expect(() => server.addClient({ name: 'again', badge: 1n })).toThrow(/badge 1 of client again is taken/);
		expect(() => makeServer([], { capacity: 0 })).toThrow(/capacity of 0/);
	});
});

describe('state', () => {
	test('goes on where it was taken, in the middle of a line and of a command', () => {
		const server = makeServer(['a', 'b']);
		terminal.stalled = true;
		write(server, 2n, 'half a li');
		terminal.type('x\x1c');
		server.notified(1n);
		const saved = server.state;
		const other = makeServer(['a', 'b']);
		other.restore(saved);
		expect(other.state).toEqual(saved);
		terminal.stalled = false;
		terminal.take();
		write(other, 2n, 'ne\n');
		terminal.type('1to b');
		interrupts(other);
		expect(terminal.take()).toBe('b| half a line\n[console: input goes to b]\n');
		expect(read(other, 1n)).toBe('x');
		expect(read(other, 2n)).toBe('to b');
	});

	test('that is damaged is refused', () => {
		const server = makeServer(['a']);
		const saved = server.state;
		const [client] = saved.clients;
		for (const damage of [
			{ ...saved, clients: [{ ...client!, input: { ...client!.input, head: 4096 } }] },
			{ ...saved, clients: [{ ...client!, output: { ...client!.output, count: 4097 } }] },
			{ ...saved, clients: [{ ...client!, output: { ...client!.output, bytes: new Uint8Array(1) } }] },
			{ ...saved, uart: { receiving: 1 as unknown as boolean, transmitting: false } },
		]) {
			expect(() => server.restore(damage)).toThrow(/damaged/);
			expect(server.state).toEqual(saved);
		}
	});
});

test('messages carry bytes of every length', () => {
	fc.assert(
		fc.property(fc.uint8Array({ maxLength: CONSOLE_BYTES }), (bytes) => {
			const message = bytesMessage(5, bytes);
			expect(message.label).toBe(5);
			expect(message.words.length).toBeLessThanOrEqual(120);
			expect(messageBytes(message)).toEqual(bytes);
		}),
	);
});
