/// <reference types="node" />
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { LINKTYPE_ETHERNET, type PcapOptions, PcapWriter } from './pcap.ts';

function file(packets: [number, Uint8Array][], options?: PcapOptions): Buffer {
	const pieces: Uint8Array[] = [];
	const writer = new PcapWriter((bytes) => pieces.push(bytes), options);
	for (const [time, bytes] of packets) writer.packet(time, bytes);
	return Buffer.concat(pieces);
}

describe('PcapWriter', () => {
	test('an empty file is the header: nanosecond magic, version 2.4, snap length, Ethernet', () => {
		expect(file([]).toString('hex')).toBe('4d3cb2a1' + '02000400' + '00000000' + '00000000' + '00000400' + '01000000');
		expect(LINKTYPE_ETHERNET).toBe(1);
	});

	test('a record has seconds, nanoseconds, kept and original length, and the bytes', () => {
		const bytes = file([[3_000_000_258, Uint8Array.of(0xaa, 0xbb, 0xcc)]]).subarray(24);
		expect(bytes.toString('hex')).toBe('03000000' + '02010000' + '03000000' + '03000000' + 'aabbcc');
	});

	test('long packets are cut, and say so', () => {
		const bytes = file([[0, new Uint8Array(100).fill(7)]], { snapLength: 4 }).subarray(24);
		expect(bytes.toString('hex')).toBe('00000000' + '00000000' + '04000000' + '64000000' + '07070707');
	});

	test('what was written does not change with the sender buffer', () => {
		const buffer = Uint8Array.of(1, 2, 3);
		const pieces: Uint8Array[] = [];
		new PcapWriter((bytes) => pieces.push(bytes)).packet(0, buffer);
		buffer.fill(9);
		expect([...pieces[1].subarray(16)]).toEqual([1, 2, 3]);
	});

	test('refuses a snap length that keeps nothing', () => {
		for (const snapLength of [0, -1, 0.5, 2 ** 31]) expect(() => file([], { snapLength })).toThrow(RangeError);
	});

	test('the time stamps are what tcpdump reads, where it is installed', ({ skip }) => {
		const folder = mkdtempSync(join(tmpdir(), 'pcap-'));
		try {
			const path = join(folder, 'x.pcap');
			// An ARP request: who has 10.0.0.2, tell 10.0.0.1.
			const arp = `ffffffffffff020000000001${'0806'}0001080006040001${'020000000001'}0a000001${'000000000000'}0a000002`;
			writeFileSync(path, file([[1_000_000_042, Buffer.from(arp, 'hex')]]));
			// Debian's tcpdump wants to become another user when root runs it.
			const user = process.getuid?.() === 0 ? ['-Z', 'root'] : [];
			let text: string;
			try {
				text = execFileSync('tcpdump', ['--nano', '-tt', '-n', '-r', path, ...user], {
					encoding: 'utf8',
					stdio: 'pipe',
				});
			} catch (error) {
				if ((error as NodeJS.ErrnoException).code === 'ENOENT') skip('tcpdump is not installed');
				throw error;
			}
			expect(text).toContain('1.000000042 ARP, Request who-has 10.0.0.2 tell 10.0.0.1');
		} finally {
			rmSync(folder, { recursive: true });
		}
	});
});
