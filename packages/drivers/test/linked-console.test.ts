// A console server linked into a kernel: clients are numbers, input is delivered.
import { describe, expect, test } from 'vitest';
import { LinkedConsole } from '../src/index.ts';
import { Terminal, UART } from './support/terminal.ts';

function link(capacity: Record<number, number> = {}) {
	const terminal = new Terminal();
	const got: Record<number, string> = {};
	const server = new LinkedConsole({
		mmio: {
			read: (offset, size) => terminal.environment.load(UART + offset, size)!,
			write: (offset, size, value) => terminal.environment.store(UART + offset, size, value),
		},
		work: (nanos) => terminal.environment.work(nanos),
		deliver: (client, bytes) => {
			const taken = Math.min(bytes.length, (capacity[client] ?? 1e9) - (got[client] ?? '').length);
			got[client] = (got[client] ?? '') + new TextDecoder().decode(bytes.subarray(0, taken));
			return taken;
		},
	});
	server.init();
	return { terminal, server, got };
}

function interrupts({ terminal, server }: ReturnType<typeof link>): void {
	while (terminal.interrupt) server.interrupt();
}

describe('a linked console', () => {
	test('prints, however much, and delivers what is typed', () => {
		const linked = link();
		const { server, terminal, got } = linked;
		server.addClient(0, 'a');
		server.addClient(1, 'b');
		server.write(1, new TextEncoder().encode(`${'x'.repeat(3000)}\n`));
		expect(terminal.take()).toBe(`b| ${'x'.repeat(3000)}\n`);
		terminal.type('to a\x1c1to b');
		interrupts(linked);
		expect(got).toEqual({ 0: 'to a', 1: 'to b' });
	});

	test('offers again what a client has refused, in order, and in another process', () => {
		const capacity = { 0: 3 };
		const linked = link(capacity);
		linked.server.addClient(0, 'a');
		linked.terminal.type('abcdef');
		interrupts(linked);
		linked.terminal.type('ghi');
		interrupts(linked);
		expect(linked.got).toEqual({ 0: 'abc' });
		const other = link({ 0: 5 });
		other.server.restore(structuredClone(linked.server.state));
		other.server.resume(0);
		expect(other.got).toEqual({ 0: 'defgh' });
		capacity[0] = 100;
		linked.server.resume(0);
		expect(linked.got).toEqual({ 0: 'abcdefghi' });
	});

	test('forgets a client with what it was to get, and the next gets the input', () => {
		const linked = link({ 0: 0 });
		linked.server.addClient(0, 'a');
		linked.terminal.type('lost');
		interrupts(linked);
		linked.server.removeClient(0);
		linked.server.addClient(0, 'b');
		linked.server.resume(0);
		expect(linked.got).toEqual({ 0: '' });
	});
});
