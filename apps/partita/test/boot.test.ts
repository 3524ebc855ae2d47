// `partita boot` as a process: what becomes of a guest's verdict, its console, and of what the flags ask for.
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { findByPath, readFdt } from '@partita/fdt';
import { describe, expect, test } from 'vitest';
import { outcome, partita, scratch, start } from './support/cli.ts';
import { chatter, counter, echo, hello, htif, place, sleeper } from './support/guests.ts';

const bare = (file: string): string[] => ['boot', '--bios', 'none', '--memory', '16M', '--kernel', file];

describe('exit status', () => {
	test.each([
		['the finisher passes', hello('hi\n'), 0],
		['the finisher fails with 7', hello('', 7), 7],
		['the finisher fails with 256, which 8 bits would show as success', hello('', 256), 255],
		['HTIF passes', htif(0), 0],
		['HTIF fails with 5', htif(5), 5],
	])('%s', async (_, guest, status) => {
		const file = place(scratch(), 'guest.elf', guest);
		expect(await partita(bare(file))).toMatchObject({ status, stderr: '' });
	});

	test('the timeout is over, or nothing can happen any more', async () => {
		const folder = scratch();
		const busy = await partita([...bare(place(folder, 'busy.elf', counter())), '--timeout', '0.2']);
		expect(busy).toEqual({
			status: 124,
			stdout: '',
			stderr: 'partita: the guest was stopped\n  why: --timeout: it has not ended in 0.2 seconds\n',
		});
		const stuck = await partita(bare(place(folder, 'stuck.elf', sleeper())));
		expect(stuck.status).toBe(124);
		expect(stuck.stderr).toMatch(/^partita: the guest was stopped\n {2}why: it waits for an interrupt/);
	});

	test('a signal ends it', async () => {
		const child = start(bare(place(scratch(), 'guest.elf', chatter('x'))), { stdio: ['ignore', 'pipe', 'pipe'] });
		child.stdout?.once('data', () => child.kill('SIGTERM'));
		expect((await outcome(child)).status).toBe(143);
	});
});

describe('console', () => {
	test('all of the output is there when it ends', async () => {
		const text = 'The quick brown fox jumps over the lazy dog. '.repeat(1000);
		const { status, stdout } = await partita(bare(place(scratch(), 'guest.elf', hello(text))));
		expect(status).toBe(0);
		expect(stdout).toBe(text);
	});

	test('input comes from a pipe, as much as there is', async () => {
		const text = `${'0123456789'.repeat(2000)}q`;
		const result = await partita(bare(place(scratch(), 'guest.elf', echo())), text);
		expect(result).toEqual({ status: 0, stdout: text, stderr: '' });
	});

	test('the end of the input does not end the guest', async () => {
		const child = start([...bare(place(scratch(), 'guest.elf', echo())), '--timeout', '1'], { stdio: 'pipe' });
		child.stdin?.end('ab');
		const { status, stdout } = await outcome(child);
		expect(status).toBe(124);
		expect(stdout).toBe('ab');
	});

	test('a reader that goes away ends it quietly', async () => {
		const child = start(bare(place(scratch(), 'guest.elf', chatter('hello '))), { stdio: ['ignore', 'pipe', 'pipe'] });
		child.stdout?.once('data', () => child.stdout?.destroy());
		const { status, stderr } = await outcome(child);
		expect(status).toBe(141);
		expect(stderr).toBe('');
	});

	test('--expect ends it when the text has come, and fails where it does not', async () => {
		const folder = scratch();
		const endless = place(folder, 'endless.elf', chatter('one two three '));
		expect((await partita([...bare(endless), '--expect', 'three one'])).status).toBe(0);
		const short = place(folder, 'short.elf', hello('one two'));
		const missed = await partita([...bare(short), '--expect', 'three']);
		expect(missed.status).toBe(1);
		expect(missed.stderr).toBe('partita: the guest ended early\n  why: it has not printed "three"\n');
		expect((await partita([...bare(endless), '--expect', 'four', '--stop-after', '1000000'])).status).toBe(1);
	});
});

describe('what it writes', () => {
	test('the signature', async () => {
		const folder = scratch();
		const file = path.join(folder, 'signature');
		expect((await partita([...bare(place(folder, 'guest.elf', htif(0))), '--signature', file])).status).toBe(0);
		expect(readFileSync(file, 'utf8')).toBe('01234567\n89abcdef\nffffffff\n');
	});

	test('the trace hash, which is that of the run and no other', async () => {
		const file = place(scratch(), 'guest.elf', counter());
		const run = async (count: number): Promise<string> => {
			const args = [...bare(file), '--stop-after', String(count), '--trace-hash'];
			const { status, stderr } = await partita(args);
			expect(status).toBe(0);
			expect(stderr).toMatch(/^trace hash: [0-9a-f]{32}\nexecuted: \d+ \(retired: hart 0: \d+\)\n$/);
			return stderr;
		};
		const [first, second, third] = await Promise.all([run(3_000_000), run(3_000_000), run(2_000_000)]);
		expect(first).toContain('executed: 3000000 (retired: hart 0: 3000000)');
		expect(second).toBe(first);
		expect(third.split('\n')[0]).not.toBe(first.split('\n')[0]);
	});

	test('the log of the last, and of the first instructions', async () => {
		const folder = scratch();
		const guest = place(folder, 'guest.elf', hello('ab'));
		const log = path.join(folder, 'log');
		expect((await partita([...bare(guest), '--log-instructions', `${log},first=3`])).status).toBe(0);
		// The boot ROM.
		expect(readFileSync(log, 'utf8').split('\n')).toEqual([
			'0 0 0000000000001000 00000297 auipc t0,0x0',
			expect.stringMatching(/^0 1 0000000000001004 [0-9a-f]{8} addi a2,t0,\d+$/),
			'0 2 0000000000001008 f1402573 csrr a0,mhartid',
			'',
		]);
		expect((await partita([...bare(guest), '--log-instructions', `${log},2`])).status).toBe(0);
		expect(readFileSync(log, 'utf8').split('\n')).toEqual([
			expect.stringMatching(/ addiw a2,a2,1365 <done\+0x8>$/),
			expect.stringMatching(/ 00c5a023 sw a2,0\(a1\) <done\+0xc>$/),
			'',
		]);
	});

	test('the devicetree', async () => {
		const folder = scratch();
		const file = path.join(folder, 'dtb');
		const args = [
			'boot',
			'--bios',
			'builtin',
			'--memory',
			'64M',
			'--harts',
			'3',
			'--append',
			'x=1',
			'--dump-dtb',
			file,
		];
		expect(await partita(args)).toEqual({ status: 0, stdout: '', stderr: '' });
		const { root } = readFdt(new Uint8Array(readFileSync(file)));
		expect(findByPath(root, '/cpus/cpu@2')).toBeDefined();
		expect(findByPath(root, '/cpus/cpu@3')).toBeUndefined();
		// With the kernel that is to be booted, it is the very one that the kernel finds; and it can be given back.
		const guest = place(folder, 'guest.elf', hello('from the dtb'));
		expect((await partita([...bare(guest), '--dump-dtb', file])).status).toBe(0);
		expect((await partita([...bare(guest), '--dtb', file])).stdout).toBe('from the dtb');
	});
});

test('help and version', async () => {
	const { version } = JSON.parse(readFileSync(path.join(import.meta.dirname, '..', 'package.json'), 'utf8')) as {
		version: string;
	};
	expect(await partita(['--version'])).toEqual({ status: 0, stdout: `${version}\n`, stderr: '' });
	const help = await partita(['boot', '--help']);
	expect(help.status).toBe(0);
	for (const flag of ['kernel', 'drive', 'net', 'snapshot-save', 'log-instructions', 'timeout'])
		expect(help.stdout).toMatch(new RegExp(`--${flag} <.*> {2,}\\S`));
	expect(help.stdout).toContain('Exit status:');
	// Colours are for terminals.
	expect(help.stdout).not.toContain('\x1b');
});
