// A console server between clients and a UART model: bytes printed and typed.
import { Ns16550a } from '@partita/devices';
import { linkedConsole } from '@partita/drivers';
import { test } from 'vitest';

test('console', async ({ bench }) => {
	const uart = new Ns16550a({ now: () => 0, timer: { setDeadline: () => {} } });
	const server = linkedConsole({ mmio: uart, work: () => {}, deliver: (_client, bytes) => bytes.length });
	server.addClient(0, 'a');
	server.addClient(1, 'b');
	server.init();
	const line = new TextEncoder().encode(`${'x'.repeat(79)}\n`);
	const byte = Uint8Array.of(0x78);

	await bench('1000 lines of 80 bytes printed, by turns', () => {
		for (let i = 0; i < 1000; i++) server.write(i & 1, line);
	}).run();

	await bench('1000 single bytes printed', () => {
		for (let i = 0; i < 1000; i++) server.write(0, byte);
	}).run();

	await bench('1000 bytes typed', () => {
		for (let i = 0; i < 1000; i++) {
			uart.receive(byte);
			server.interrupt();
		}
	}).run();
});
