// Snapshots as files: a run that goes on in a new process is the run that was never interrupted.
import { readFileSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import { partita, scratch } from './support/cli.ts';
import { chatter, counter, disk, hello, htif, place } from './support/guests.ts';

const bare = (kernel: string, ...more: string[]): string[] => [
	...['boot', '--bios', 'none', '--memory', '16M', '--kernel', kernel],
	...more,
];

test.each([1, 3])('%i harts: it ends as if it had not been interrupted', async (harts) => {
	const folder = scratch();
	const kernel = place(folder, 'guest.elf', counter());
	const file = path.join(folder, 'snapshot');
	const machine = ['--harts', String(harts), '--trace-hash'];
	const whole = await partita(bare(kernel, ...machine, '--stop-after', '5000000'));
	const first = await partita(bare(kernel, ...machine, '--stop-after', '2345678', '--snapshot-save', file));
	expect(first.status).toBe(0);
	const second = await partita(['boot', '--snapshot-load', file, '--trace-hash', '--stop-after', '5000000']);
	expect(second).toEqual(whole);
	expect(whole.stderr).toMatch(/^trace hash: [0-9a-f]{32}\nexecuted: 500\d{4} /);
});

test('a guest goes on printing, and reports through HTIF', async () => {
	const folder = scratch();
	const file = path.join(folder, 'snapshot');
	const talk = bare(place(folder, 'talk.elf', chatter('0123456789')), '--snapshot-save', file);
	const first = await partita([...talk, '--stop-after', '10007']);
	const second = await partita(['boot', '--snapshot-load', file, '--stop-after', '20000']);
	expect((first.stdout + second.stdout).replaceAll('0123456789', '')).toMatch(/^\d{0,9}$/);
	expect(second.stdout.length).toBeGreaterThan(1000);

	const report = bare(place(folder, 'report.elf', htif(9)), '--snapshot-save', file);
	expect((await partita([...report, '--stop-after', '10'])).status).toBe(0);
	// The addresses of its words come with the snapshot.
	expect((await partita(['boot', '--snapshot-load', file])).status).toBe(9);
});

test('one that is damaged or of another machine is refused before anything starts', async () => {
	const folder = scratch();
	const file = path.join(folder, 'snapshot');
	const kernel = place(folder, 'guest.elf', hello('started'));
	await partita(bare(kernel, '--stop-after', '10', '--snapshot-save', file));
	const refused = async (message: RegExp, ...more: string[]): Promise<void> => {
		const { status, stdout, stderr } = await partita(['boot', '--snapshot-load', file, ...more]);
		expect(stderr).toMatch(message);
		expect({ status, stdout }).toEqual({ status: 125, stdout: '' });
	};
	await refused(/another machine: memory\n {2}why: then: 16 MiB; now: 32 MiB/, '--memory', '32M');
	await refused(/another machine: harts/, '--harts', '2');
	await refused(/another machine: firmware/, '--bios', 'builtin', '--kernel', kernel);
	await refused(/another machine: seed/, '--seed', '2');
	await refused(/another machine: virtio devices/, '--drive', `${kernel},readonly`);
	await refused(/without a trace hash/, '--trace-hash');
	const good = readFileSync(file);
	for (const at of [0, 20, 30, Math.floor(good.length / 3), good.length - 1]) {
		const bad = Buffer.from(good);
		bad[at] ^= 1;
		writeFileSync(file, bad);
		await refused(/^partita: snapshot: .*\n {2}try: /);
	}
	writeFileSync(file, good.subarray(0, good.length - 100));
	await refused(/^partita: snapshot: section fram is truncated/);
});

test('drives: an overlay in memory comes with it; a disk that has changed since is refused', async () => {
	const folder = scratch();
	const image = place(folder, 'disk.img', new Uint8Array(2 ** 16));
	const file = path.join(folder, 'snapshot');
	const kernel = place(folder, 'write.elf', disk({ kind: 'write', sector: 3, text: 'kept in the snapshot' }));
	const save = bare(kernel, '--snapshot-save', file, '--stop-after', '5000');
	expect((await partita([...save, '--drive', `${image},overlay`])).status).toBe(0);
	const again = ['boot', '--snapshot-load', file];
	expect((await partita([...again, '--drive', `${image},overlay`])).status).toBe(0);
	expect(readFileSync(image).every((byte) => byte === 0)).toBe(true);
	expect(readFileSync(file).includes('kept in the snapshot')).toBe(true);
	const other = await partita([...again, '--drive', `${image},readonly`]);
	expect(other.status).toBe(125);
	expect(other.stderr).toMatch(/is not the drive of the snapshot/);

	expect((await partita([...save, '--drive', image])).status).toBe(0);
	expect((await partita([...again, '--drive', image])).status).toBe(0);
	const { atime, mtimeMs } = statSync(image);
	utimesSync(image, atime, new Date(mtimeMs + 1000));
	const changed = await partita([...again, '--drive', image]);
	expect(changed.status).toBe(125);
	expect(changed.stderr).toMatch(/was written to after the snapshot was taken\n {2}why: .*\n {2}try: /);
});
