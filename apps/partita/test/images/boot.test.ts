// The judge of the whole: Debian's images as a user pulls them, booted by QEMU to a shell that uses disk and network.
// What was fetched stays below node_modules, so that only the first run downloads.

import { spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { expect, test } from 'vitest';
import type { ResolvedImages } from '../../src/images/cache.ts';
import { debianImages } from '../support/debian.ts';

const PROMPT = 'partita:~# ';

/** What is typed, and what must come back before the next prompt. */
const DIALOGUE: [command: string, answer: RegExp][] = [
	['uname -a', /Linux partita 6\.12\.\S+ .*riscv64/],
	['cut -d" " -f1 /proc/modules | sort | xargs', /virtio_blk virtio_mmio virtio_net virtio_rng/],
	['mount -t ext4 /dev/vda /mnt && echo kept > /mnt/f && cat /mnt/f && umount /mnt', /^kept/m],
	['udhcpc -q -n -i eth0 2>&1 | tail -1; ip route', /default via 10\.0\.2\.2/],
	['ping -c 1 10.0.2.2', /1 packets received/],
	['sleep 100 & jobs; kill %1', /Running +sleep 100/],
];

test("Debian's images boot to a shell in QEMU", { timeout: 400_000 }, async ({ skip }) => {
	if (spawnSync('qemu-system-riscv64', ['--version']).error) return skip('QEMU is not installed');
	if (spawnSync('mke2fs', ['-V']).error) return skip('e2fsprogs is not installed');
	const images = await debianImages();
	if ('unavailable' in images) return skip(images.unavailable);

	const scratch = mkdtempSync(path.join(tmpdir(), 'partita-boot-'));
	try {
		const disk = path.join(scratch, 'disk.img');
		expect(spawnSync('mke2fs', ['-q', '-t', 'ext4', disk, '16M']).status).toBe(0);
		const { status, console } = await converse(images, disk);
		expect(console).toContain('reboot: Power down');
		expect(status).toBe(0);
		const check = spawnSync('e2fsck', ['-fn', disk], { encoding: 'utf8' });
		expect(check.status, check.stdout).toBe(0);
		expect(spawnSync('debugfs', ['-R', 'cat /f', disk], { encoding: 'utf8' }).stdout).toBe('kept\n');
	} finally {
		rmSync(scratch, { recursive: true, force: true });
	}
});

/** Types each command at a prompt and compares what comes back; then powers off. */
async function converse(images: ResolvedImages, disk: string): Promise<{ status: number | null; console: string }> {
	const qemu = spawn('qemu-system-riscv64', [
		...['-M', 'virt', '-m', '1G', '-nographic', '-no-reboot'],
		...['-bios', images.openSbiJump, '-kernel', images.kernel, '-initrd', images.initrd],
		...['-append', 'console=ttyS0 earlycon=sbi'],
		...['-drive', `file=${disk},if=none,id=d,format=raw`, '-device', 'virtio-blk-device,drive=d'],
		...['-netdev', 'user,id=n', '-device', 'virtio-net-device,netdev=n', '-device', 'virtio-rng-device'],
	]);
	try {
		let all = '';
		let since = '';
		let step = -1;
		return await new Promise((resolve, reject) => {
			qemu.on('error', reject);
			qemu.on('close', (status) => {
				if (step < DIALOGUE.length) reject(new Error(`QEMU ended early:\n${all.slice(-2000)}`));
				resolve({ status, console: all });
			});
			qemu.stderr.on('data', (chunk: Buffer) => {
				all += chunk.toString();
			});
			qemu.stdout.on('data', (chunk: Buffer) => {
				all += chunk.toString();
				since += chunk.toString();
				if (!since.includes(PROMPT)) return;
				const expected = DIALOGUE[step];
				if (expected && !expected[1].test(since)) {
					reject(new Error(`${expected[0]} answered:\n${since}`));
					return;
				}
				step++;
				since = '';
				qemu.stdin.write(`${DIALOGUE[step]?.[0] ?? 'poweroff -f'}\n`);
			});
		});
	} finally {
		qemu.kill();
	}
}
