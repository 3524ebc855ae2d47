// Drives, as guests and the host's files see them, and what becomes of both when the host's disk is full.
import { spawn } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { type BlockRequest, MemoryBlockBackend } from '@partita/devices';
import { SeededRandom } from '@partita/devices/testing';
import { describe, expect, test } from 'vitest';
import { OverlayFileDrive } from '../src/host/overlay-file.ts';
import { type Outcome, outcome, PARTITA, partita, scratch } from './support/cli.ts';
import { counter, type DiskOperation, disk, hello, place } from './support/guests.ts';

const SECTORS = 4096;

/** A disk whose sectors say their number. */
function image(folder: string): string {
	const bytes = new Uint8Array(SECTORS * 512);
	for (let sector = 0; sector < SECTORS; sector++) bytes.set(Buffer.from(`sector ${sector}`), sector * 512);
	return place(folder, 'disk.img', bytes);
}

function run(folder: string, operation: DiskOperation, ...drives: string[]): Promise<Outcome> {
	const kernel = place(folder, 'guest.elf', disk(operation));
	return partita(arguments_(kernel, ...drives.flatMap((drive) => ['--drive', drive])));
}

const arguments_ = (kernel: string, ...more: string[]): string[] => [
	...['boot', '--bios', 'none', '--memory', '16M', '--kernel', kernel, '--timeout', '20'],
	...more,
];

const sector = (file: string, index: number): string =>
	readFileSync(file, 'latin1')
		.slice(index * 512)
		.split('\0', 1)[0];

test('a raw image is read and written', async () => {
	const folder = scratch();
	const file = image(folder);
	expect(await run(folder, { kind: 'read', sector: 77 }, file)).toEqual({ status: 0, stdout: 'sector 77', stderr: '' });
	expect((await run(folder, { kind: 'write', sector: 77, text: 'new' }, file)).status).toBe(0);
	expect([76, 77, 78].map((index) => sector(file, index))).toEqual(['sector 76', 'new', 'sector 78']);
	expect((await run(folder, { kind: 'read', sector: SECTORS }, file)).status).toBe(1);
});

test('what is read only, and what has an overlay in memory, stays as it was', async () => {
	const folder = scratch();
	const file = image(folder);
	const before = readFileSync(file);
	expect((await run(folder, { kind: 'write', sector: 7, text: 'new' }, `${file},readonly`)).status).toBe(1);
	expect((await run(folder, { kind: 'write', sector: 7, text: 'new' }, `${file},overlay`)).status).toBe(0);
	expect(readFileSync(file).equals(before)).toBe(true);
});

test('a file is not written to through two drives', async () => {
	const folder = scratch();
	const file = image(folder);
	const twice = await run(folder, { kind: 'read', sector: 0 }, file, `${folder}/../${path.basename(folder)}/disk.img`);
	expect(twice.status).toBe(125);
	expect(twice.stderr).toMatch(/is there twice, and would be written to\n {2}try: --drive .*,overlay/);
	expect((await run(folder, { kind: 'read', sector: 0 }, `${file},overlay`, `${file},readonly`)).status).toBe(0);
});

describe('an overlay in a file', () => {
	test('keeps what was written, and the base as it was', async () => {
		const folder = scratch();
		const file = image(folder);
		const before = readFileSync(file);
		const drive = `${file},overlay=${folder}/layer`;
		expect((await run(folder, { kind: 'write', sector: 5, text: 'five' }, drive)).status).toBe(0);
		expect((await run(folder, { kind: 'read', sector: 5 }, drive)).stdout).toBe('five');
		expect((await run(folder, { kind: 'read', sector: 6 }, drive)).stdout).toBe('sector 6');
		expect((await run(folder, { kind: 'read', sector: 5 }, file)).stdout).toBe('sector 5');
		expect(readFileSync(file).equals(before)).toBe(true);
		// One sector takes no more than some pages of the host's disk.
		expect(statSync(`${folder}/layer`).blocks * 512).toBeLessThan(100_000);
	});

	test.each<[string, (file: string) => void, RegExp]>([
		['a damaged header', (file) => flip(file, 24), /its header is damaged/],
		['another magic', (file) => flip(file, 0), /it is no overlay/],
		['a damaged map', (file) => flip(file, 4096 + 100), /it is damaged: block 0 of its map/],
		['a map that was lost', (file) => flip(file, 4096 + 508), /it is damaged: block 0 of its map/],
		['a file that was cut off', (file) => truncateSync(file, statSync(file).size - 1), /its length is wrong/],
		['a file of a few bytes', (file) => truncateSync(file, 100), /too short/],
		['a file that was made longer', (file) => truncateSync(file, statSync(file).size + 1), /its length is wrong/],
		['the base image itself', (file) => writeFileSync(file, new Uint8Array(SECTORS * 512)), /it is no overlay/],
	])('is refused, and not written to: %s', async (_, damage, message) => {
		const folder = scratch();
		const layer = `${folder}/layer`;
		const drive = `${image(folder)},overlay=${layer}`;
		expect((await run(folder, { kind: 'write', sector: 5, text: 'five' }, drive)).status).toBe(0);
		damage(layer);
		const before = readFileSync(layer);
		const { status, stderr } = await run(folder, { kind: 'write', sector: 6, text: 'six' }, drive);
		expect(status).toBe(125);
		expect(stderr).toMatch(message);
		expect(readFileSync(layer).equals(before)).toBe(true);
	});

	test('is refused for a disk of another size', async () => {
		const folder = scratch();
		const file = image(folder);
		const drive = `${file},overlay=${folder}/layer`;
		await run(folder, { kind: 'read', sector: 5 }, drive);
		truncateSync(file, 512 * 100);
		const { status, stderr } = await run(folder, { kind: 'read', sector: 5 }, drive);
		expect(status).toBe(125);
		expect(stderr).toMatch(/belongs to a disk of 4096 sectors; this one has 100/);
	});

	test('behaves as a plain disk does, opened again now and then', () => {
		const random = new SeededRandom(11);
		const sectors = 9000;
		const content = Uint8Array.from({ length: sectors * 512 }, () => random.bits());
		const plain = new MemoryBlockBackend(content.slice());
		const base = Object.assign(new MemoryBlockBackend(content, true), { close: () => {} });
		const file = path.join(scratch(), 'layer');
		const open = (): OverlayFileDrive => new OverlayFileDrive(file, base, (message) => expect.fail(message));
		let overlay = open();
		for (let step = 0; step < 400; step++) {
			const at = random.below(sectors);
			const count = 1 + random.below(Math.min(sectors - at, 300));
			const kind = random.below(2) === 0 ? 'read' : 'write';
			const data = (): Uint8Array => new Uint8Array(count * 512).fill(step);
			const [left, right] = [data(), data()];
			for (const [drive, bytes] of [[overlay, left] as const, [plain, right] as const]) {
				drive.submit({ id: step, kind, sector: at, data: bytes } satisfies BlockRequest, (_, status) =>
					expect(status).toBe('ok'),
				);
			}
			expect(Buffer.compare(left, right)).toBe(0);
			if (step % 100 === 99) {
				overlay.close();
				overlay = open();
			}
		}
		overlay.close();
	});
});

describe('a full disk under the drive', () => {
	/** As a full disk, only that it needs no file system of its own: no file may grow beyond so many units of 512 bytes. */
	function limited(units: number, args: readonly string[]): Promise<Outcome> {
		const script = `ulimit -f ${units}; exec "$@"`;
		return outcome(spawn('sh', ['-c', script, 'sh', ...PARTITA, ...args], { stdio: ['ignore', 'pipe', 'pipe'] }));
	}

	test('is an I/O error to the guest and a message to the user; what was there stays', async () => {
		const folder = scratch();
		const file = place(folder, 'disk.img', Buffer.from('first sector'));
		truncateSync(file, 2 ** 20);
		const kernel = place(folder, 'guest.elf', disk({ kind: 'write', sector: 1000, text: 'x' }));
		const { status, stderr } = await limited(64, arguments_(kernel, '--drive', file));
		expect(status).toBe(1);
		expect(stderr).toBe(
			`partita: drive ${file}: write failed: the file may not grow that large (EFBIG); the guest was told of an I/O error\n`,
		);
		expect(statSync(file).size).toBe(2 ** 20);
		expect([0, 1000].map((index) => sector(file, index))).toEqual(['first sector', '']);
	});

	test('an overlay that cannot be made leaves nothing behind', async () => {
		const folder = scratch();
		const kernel = place(folder, 'guest.elf', hello(''));
		const drive = `${image(folder)},overlay=${folder}/layer`;
		const { status, stderr } = await limited(64, arguments_(kernel, '--drive', drive));
		expect(status).toBe(125);
		expect(stderr).toMatch(/cannot open the overlay .*\n {2}why: the file may not grow that large/);
		expect(existsSync(`${folder}/layer`)).toBe(false);
	});

	test('a snapshot that cannot be written leaves the one before it', async () => {
		const folder = scratch();
		const kernel = place(folder, 'guest.elf', counter());
		const file = path.join(folder, 'snapshot');
		const args = arguments_(kernel, '--stop-after', '100000', '--snapshot-save', file);
		expect((await partita(args)).status).toBe(0);
		const before = readFileSync(file);
		const { status, stderr } = await limited(16, args);
		expect(status).toBe(125);
		expect(stderr).toMatch(/^partita: --snapshot-save: cannot write .*\n {2}why: the file may not grow that large/);
		expect(readFileSync(file).equals(before)).toBe(true);
		expect(readdirSync(folder).sort()).toEqual(['guest.elf', 'snapshot']);
	});
});

function flip(file: string, at: number): void {
	const bytes = readFileSync(file);
	bytes[at] ^= 0x10;
	writeFileSync(file, bytes);
}
