// The cable: frames in a stream, as QEMU's -netdev stream has them, and peers that come and go.

import { writeFileSync } from 'node:fs';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import path from 'node:path';
import { SeededRandom } from '@partita/devices/testing';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { collectNet } from '../src/boot/values.ts';
import { encodeFrame, FrameDecoder, MOST_FRAME_BYTES } from '../src/host/frame-stream.ts';
import { StreamNet } from '../src/host/stream-net.ts';
import { partita, scratch } from './support/cli.ts';
import { hello, place } from './support/guests.ts';

describe('frames in a stream', () => {
	test('a frame is its length, 32 bits, big-endian, and its bytes', () => {
		expect([...encodeFrame(new Uint8Array(258).fill(7)).subarray(0, 6)]).toEqual([0, 0, 1, 2, 7, 7]);
	});

	test('come out as they went in, however the stream is cut', () => {
		const random = new SeededRandom(3);
		const frames = Array.from({ length: 200 }, () =>
			Uint8Array.from({ length: 1 + random.below(random.below(2) ? 60 : 3000) }, () => random.bits()),
		);
		frames.push(new Uint8Array(MOST_FRAME_BYTES).fill(1));
		const stream = Buffer.concat(frames.map(encodeFrame));
		const decoder = new FrameDecoder();
		const found: Uint8Array[] = [];
		for (let at = 0; at < stream.length; ) {
			const end = at + 1 + random.below(random.below(3) ? 5 : 5000);
			const { frames: some, error } = decoder.push(stream.subarray(at, end));
			expect(error).toBeUndefined();
			found.push(...some);
			at = end;
		}
		expect(found).toEqual(frames);
	});

	test.each([0, MOST_FRAME_BYTES + 1, 0xffff_ffff])('a length of %i is refused', (length) => {
		const bytes = new Uint8Array(4);
		new DataView(bytes.buffer).setUint32(0, length);
		const stream = Buffer.concat([encodeFrame(Uint8Array.of(1)), bytes]);
		expect(new FrameDecoder().push(stream)).toEqual({
			frames: [Uint8Array.of(1)],
			error: `a frame of ${length} bytes`,
		});
	});
});

/** A network and what it gave: frames in, messages, captured frames. */
function network(text: string): { net: StreamNet; received: number[]; messages: string[]; captured: number[] } {
	const received: number[] = [];
	const messages: string[] = [];
	const captured: number[] = [];
	const [flag] = collectNet(text);
	const net = new StreamNet({
		flag,
		complain: (message) => messages.push(message),
		capture: (frame) => captured.push(frame[0]),
	});
	net.receive = (frame) => {
		received.push(frame[0]);
		return true;
	};
	net.wake = () => net.offer();
	onTestFinished(() => net.close());
	return { net, received, messages, captured };
}

const frame = (first: number): Uint8Array => new Uint8Array(60).fill(first);

async function freePort(): Promise<number> {
	const server = createServer();
	await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
	const { port } = server.address() as AddressInfo;
	await new Promise((resolve) => server.close(resolve));
	return port;
}

/** Sends until it arrives: while the two find each other, frames are lost, as they may be. */
async function reaches(from: StreamNet, number: number, to: number[]): Promise<void> {
	await vi.waitFor(
		() => {
			from.send(frame(number));
			expect(to).toContain(number);
		},
		{ timeout: 10_000, interval: 20 },
	);
}

describe('a cable', () => {
	test.each(['tcp', 'unix'])('carries frames both ways, and a peer that was away: %s', async (kind) => {
		const port = await freePort();
		const socket = path.join(scratch(), 'socket');
		const [listen, dial] =
			kind === 'tcp'
				? [`stream-listen:${port}`, `stream:127.0.0.1:${port}`]
				: [`unix-listen:${socket}`, `unix:${socket}`];
		const right = network(dial);
		await right.net.open();
		await vi.waitFor(() => expect(right.messages).toHaveLength(1));
		expect(right.messages[0]).toMatch(/^net .*: .*; it is tried again each second$/);
		const left = network(listen);
		await left.net.open();
		await reaches(left.net, 1, right.received);
		await reaches(right.net, 2, left.received);
		expect(left.captured).toContain(1);
		expect(left.captured).toContain(2);

		await left.net.close();
		await vi.waitFor(() => expect(right.messages.at(-1)).toMatch(/the peer is gone|closed the connection/));
		right.net.send(frame(3));
		const again = network(listen);
		await again.net.open();
		await reaches(right.net, 4, again.received);
		expect(again.received).not.toContain(3);
	});

	test('has two ends: a third is turned away until one has gone', async () => {
		const port = await freePort();
		const { net, received, messages } = network(`stream-listen:${port}`);
		await net.open();
		const dial = (): Socket => {
			const socket = connect(port, '127.0.0.1').on('error', () => {});
			onTestFinished(() => {
				socket.destroy();
			});
			return socket;
		};
		const first = dial();
		first.write(encodeFrame(frame(1)));
		await vi.waitFor(() => expect(received).toEqual([1]));
		const second = dial();
		await new Promise((resolve) => second.on('close', resolve));
		first.destroy();
		await vi.waitFor(() => expect(messages).toEqual([expect.stringMatching(/the peer is gone/)]));
		dial().write(encodeFrame(frame(2)));
		await vi.waitFor(() => expect(received).toEqual([1, 2]));
	});

	test('a stream of something else is cut, with one message', async () => {
		const port = await freePort();
		const { net, messages, received } = network(`stream-listen:${port}`);
		await net.open();
		const peer = connect(port, '127.0.0.1').on('error', () => {});
		peer.write('GET / HTTP/1.1\r\n\r\n');
		await new Promise((resolve) => peer.on('close', resolve));
		await vi.waitFor(() => expect(messages).toHaveLength(1));
		expect(messages[0]).toMatch(/no stream of frames \(a frame of 1195725856 bytes\)/);
		expect(received).toEqual([]);
	});

	test('a guest that takes nothing holds the peer back; nothing grows without bound', async () => {
		const port = await freePort();
		const { net } = network(`stream-listen:${port}`);
		let taken = 0;
		net.receive = () => false;
		await net.open();
		const peer = connect(port, '127.0.0.1').on('error', () => {});
		onTestFinished(() => {
			peer.destroy();
		});
		const count = 20_000;
		const all = Buffer.concat(Array.from({ length: count }, () => encodeFrame(new Uint8Array(1500))));
		peer.write(all);
		await new Promise((resolve) => setTimeout(resolve, 300));
		expect(peer.writableLength).toBeGreaterThan(0);
		net.receive = () => {
			taken++;
			return true;
		};
		await vi.waitFor(
			() => {
				net.offer();
				expect(taken).toBe(count);
			},
			{ timeout: 10_000 },
		);
	});

	test('an address that is taken is refused before the machine starts', async () => {
		const server: Server = createServer();
		await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
		onTestFinished(() => {
			server.close();
		});
		const folder = scratch();
		const kernel = place(folder, 'guest.elf', hello('started'));
		const { port } = server.address() as AddressInfo;
		const args = ['boot', '--bios', 'none', '--memory', '16M', '--kernel', kernel, '--net'];
		const taken = await partita([...args, `stream-listen:${port}`]);
		expect(taken.stderr).toMatch(/^partita: --net stream-listen:\d+: cannot listen\n {2}why: the address is in use/);
		expect(taken).toMatchObject({ status: 125, stdout: '' });
		writeFileSync(path.join(folder, 'socket'), '');
		const file = await partita([...args, `unix-listen:${folder}/socket`]);
		expect(file.stderr).toMatch(/cannot listen\n {2}why: the address is in use .*\n {2}try: rm /);
	});
});
