// The disks: in memory, and copy-on-write over another.
import { describe, expect, test } from 'vitest';
import {
	type BlockBackend,
	type BlockRequest,
	MemoryBlockBackend,
	OVERLAY_CLUSTER_SIZE,
	OverlayBlockBackend,
	StateError,
} from '../index.ts';
import { DeferredBlockBackend, SeededRandom } from '../testing/index.ts';

let id = 0;

function submit(backend: BlockBackend, kind: BlockRequest['kind'], sector: number, data: Uint8Array) {
	const outcomes: string[] = [];
	backend.submit({ id: id++, kind, sector, data }, (_, status, reason) => {
		outcomes.push(reason === undefined ? status : `${status}: ${reason}`);
	});
	return outcomes;
}

const filled = (sectors: number, byte: number) => new Uint8Array(512 * sectors).fill(byte);

describe('memory', () => {
	test('reads, writes, flushes', () => {
		const disk = new MemoryBlockBackend(new Uint8Array(5 * 512 + 100));
		expect(disk.sectors).toBe(5);
		expect(submit(disk, 'write', 4, filled(1, 7))).toEqual(['ok']);
		expect(submit(disk, 'flush', 0, new Uint8Array(0))).toEqual(['ok']);
		const data = filled(2, 0);
		expect(submit(disk, 'read', 3, data)).toEqual(['ok']);
		expect(data).toEqual(Uint8Array.of(...filled(1, 0), ...filled(1, 7)));
	});

	test.each([
		['past the end', 'read', 5, 512],
		['across the end', 'write', 4, 1024],
		['before the start', 'read', -1, 512],
		['at no sector', 'read', 0.5, 512],
		['of no whole sector', 'write', 0, 100],
	] as const)('refuses a request %s', (_, kind, sector, length) => {
		const disk = new MemoryBlockBackend(new Uint8Array(5 * 512));
		expect(submit(disk, kind, sector, new Uint8Array(length).fill(1))).toEqual([expect.stringMatching(/^io-error: /)]);
		expect(disk.state.bytes.every((byte) => byte === 0)).toBe(true);
	});

	test('refuses writes where it is read only; takes over a state of its size', () => {
		const disk = new MemoryBlockBackend(new Uint8Array(512), true);
		expect(submit(disk, 'write', 0, filled(1, 1))).toEqual(['io-error: the disk is read only']);
		disk.restore({ bytes: filled(1, 9) });
		expect(disk.state.bytes[511]).toBe(9);
		expect(() => disk.restore({ bytes: filled(2, 9) })).toThrow(StateError);
	});
});

describe('overlay', () => {
	test('behaves as a plain disk does, and leaves the base alone', () => {
		const random = new SeededRandom(7);
		const sectors = 300;
		const content = Uint8Array.from({ length: sectors * 512 }, () => random.bits());
		const plain = new MemoryBlockBackend(content.slice());
		const base = new MemoryBlockBackend(content.slice(), true);
		let overlay = new OverlayBlockBackend(base);
		for (let step = 0; step < 500; step++) {
			const sector = random.below(sectors);
			const count = 1 + random.below(Math.min(sectors - sector, 140));
			if (random.below(3) === 0) {
				const data = filled(count, step);
				expect(submit(overlay, 'write', sector, data)).toEqual(submit(plain, 'write', sector, data));
			} else {
				const [left, right] = [filled(count, 0), filled(count, 1)];
				expect(submit(overlay, 'read', sector, left)).toEqual(submit(plain, 'read', sector, right));
				expect(left).toEqual(right);
			}
			if (step % 100 === 50) {
				const next = new OverlayBlockBackend(base);
				next.restore(structuredClone(overlay.state));
				overlay = next;
			}
		}
		expect(base.state.bytes).toEqual(content);
	});

	test('a write does not wait for a slow base, and a read that does sees writes made meanwhile', () => {
		const base = new DeferredBlockBackend(new MemoryBlockBackend(filled(256, 1)));
		const overlay = new OverlayBlockBackend(base);
		const data = filled(3, 0);
		const outcomes = submit(overlay, 'read', 0, data);
		expect(submit(overlay, 'write', 1, filled(1, 2))).toEqual(['ok']);
		expect(outcomes).toEqual([]);
		base.finish();
		expect(outcomes).toEqual(['ok']);
		expect(data).toEqual(Uint8Array.of(...filled(1, 1), ...filled(1, 2), ...filled(1, 1)));
		expect(submit(overlay, 'read', 1, filled(1, 0))).toEqual(['ok']);
		expect(base.log).toEqual(['read']);
		expect(submit(overlay, 'flush', 0, new Uint8Array(0))).toEqual(['ok']);
	});

	test('errors of the base come through', () => {
		const base = new DeferredBlockBackend(new MemoryBlockBackend(filled(8, 1)));
		const outcomes = submit(new OverlayBlockBackend(base), 'read', 0, filled(1, 0));
		base.fail('EIO');
		expect(outcomes).toEqual(['io-error: EIO']);
	});

	test('a full layer fails writes to new clusters, whole', () => {
		const overlay = new OverlayBlockBackend(new MemoryBlockBackend(filled(512, 0)), 2 * OVERLAY_CLUSTER_SIZE);
		expect(submit(overlay, 'write', 0, filled(129, 1))).toEqual(['ok']);
		expect(submit(overlay, 'write', 255, filled(2, 1))).toEqual(['io-error: the overlay is full (131072 bytes)']);
		expect(submit(overlay, 'write', 255, filled(1, 1))).toEqual(['ok']);
		expect(overlay.state.clusters.length).toBe(2);
	});

	test('refuses requests past the end, and states that do not fit', () => {
		const overlay = new OverlayBlockBackend(new MemoryBlockBackend(filled(128, 0)));
		expect(submit(overlay, 'write', 128, filled(1, 1))).toEqual([expect.stringMatching(/^io-error/)]);
		submit(overlay, 'write', 0, filled(1, 1));
		const [cluster] = overlay.state.clusters;
		for (const clusters of [
			[cluster, cluster],
			[{ ...cluster, index: 1 }],
			[{ ...cluster, present: new Uint32Array(3) }],
			[{ ...cluster, bytes: new Uint8Array(1) }],
			[null],
			null,
		])
			expect(() => overlay.restore({ clusters } as never)).toThrow(StateError);
		expect(overlay.state.clusters).toEqual([cluster]);
	});
});
