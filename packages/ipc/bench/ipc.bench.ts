// Operations of IPC by the number of threads that wait at the same endpoint: none may grow with it.
import { Ipc, type ThreadPort } from '@partita/ipc';
import { test } from 'vitest';

class Port implements ThreadPort {
	context = 1;
	priority = (thread: number): number => thread & 0xff;
	block = (): void => {};
	wake = (): void => {};
	deactivate = (): void => {};
	deliver = (): void => {};
	reply = (): boolean => true;
	notify = (): void => {};
	contextOf = (thread: number): number => (thread === this.context ? 1 : 0);
	holderOf = (): number => this.context;
	donate = (_: number, to: number): void => {
		this.context = to;
	};
}

test('round trips', async ({ bench }) => {
	const ipc = new Ipc({ port: new Port() });
	ipc.recv(2, 1, 1);
	await bench('1000 x call, replyRecv with donation', () => {
		for (let i = 0; i < 1000; i++) {
			ipc.call(1, 1, 1n, false, true);
			ipc.replyRecv(2, 1, false, 1);
		}
	}).run();
	await bench('1000 x signal, poll', () => {
		for (let i = 0; i < 1000; i++) {
			ipc.signal(1, 1n);
			ipc.poll(3, 1);
		}
	}).run();
});

for (const count of [10, 1_000, 100_000]) {
	test(`${count} threads wait`, async ({ bench }) => {
		const ipc = new Ipc({ port: new Port() });
		for (let thread = 10; thread < 10 + count; thread++) ipc.send(thread, 1, 0n, false);
		await bench(`1000 x send, cancel; ${count} threads wait`, () => {
			for (let i = 0; i < 1000; i++) {
				ipc.send(2, 1, 0n, false);
				ipc.cancel(2);
			}
		}).run();
		await bench(`1000 x nbRecv, send; ${count} threads wait`, () => {
			for (let i = 0; i < 1000; i++) {
				ipc.nbRecv(1, 1, 0);
				ipc.send(9 + count, 1, 0n, false);
				ipc.cancel(9 + count);
			}
		}).run();
	});
}
