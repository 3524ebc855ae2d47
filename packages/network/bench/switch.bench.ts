// Frames through a switch: to one port, to all, through rules.
import { VirtualSwitch } from '@partita/network';
import { test } from 'vitest';

const frame = new Uint8Array(1514);
frame.set([0x52, 0x54, 0, 0, 0, 1, 0x52, 0x54, 0, 0, 0, 2, 0x08, 0, 0x45]);
const broadcast = frame.slice().fill(0xff, 0, 6);

test('switch', async ({ bench }) => {
	const rules = Array.from({ length: 20 }, (_, port) => ({
		action: 'deny' as const,
		protocol: 'tcp' as const,
		sourcePort: port,
	}));
	const lan = new VirtualSwitch({
		name: 'lan',
		ports: Array.from({ length: 4 }, (_, port) => ({ name: `${port}`, ...(port === 3 ? { from: rules } : {}) })),
	});
	for (let port = 0; port < 4; port++) lan.port(`${port}`).connect(() => true);
	const reply = frame.slice();
	reply.set(frame.subarray(6, 12), 0);
	reply.set(frame.subarray(0, 6), 6);
	lan.port('1').backend.send(reply);
	for (const [what, from, each] of [
		['to one port', '0', frame],
		['to three ports', '0', broadcast],
		['through 20 rules', '3', frame],
	] as const) {
		const { backend } = lan.port(from);
		await bench(`1000 frames of 1514 bytes ${what}`, () => {
			for (let i = 0; i < 1000; i++) backend.send(each);
		}).run();
	}
});
