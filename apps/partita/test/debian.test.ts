// Debian's unmodified kernel and busybox, with OpenSBI and with the built-in SBI, on one hart and on four: they come to
// a shell, use a disk that the host made and checks afterwards, ping each other and a guest of QEMU's, and power off.
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import path from 'node:path';
import { beforeAll, expect, test } from 'vitest';
import type { ResolvedImages } from '../src/images/index.ts';
import { outcome, PARTITA, partita, scratch, start } from './support/cli.ts';
import { debianImages, IMAGE_FOLDER, installed, ShellGuest } from './support/debian.ts';

const TIMEOUT = 400_000;
let images: ResolvedImages | undefined;
let unavailable = '';

beforeAll(async () => {
	const found = await debianImages();
	if ('unavailable' in found) unavailable = found.unavailable;
	else images = found;
}, TIMEOUT);

function boot(
	bios: 'openSbiJump' | 'openSbiDynamic' | 'builtin',
	{ kernel, initrd, ...files }: ResolvedImages,
): string[] {
	return [
		...['boot', '--bios', bios === 'builtin' ? bios : files[bios]],
		...['--kernel', kernel, '--initrd', initrd, '--append', 'console=ttyS0 earlycon=sbi'],
	];
}

const guest = (args: readonly string[]): ShellGuest => new ShellGuest(PARTITA[0], [...PARTITA.slice(1), ...args]);

async function freePort(): Promise<number> {
	const server = createServer();
	await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
	const { port } = server.address() as AddressInfo;
	await new Promise((resolve) => server.close(resolve));
	return port;
}

const address = (host: number): string => `ip addr add 10.0.0.${host}/24 dev eth0 && ip link set eth0 up && echo u''p`;
const PINGED = /3 packets transmitted, 3 packets received, 0% packet loss/;

/** ICMP packets in a capture. */
function pings(file: string): number {
	const bytes = readFileSync(file);
	let count = 0;
	for (let at = 24; at < bytes.length; at += 16 + bytes.readUInt32LE(at + 8)) {
		const frame = bytes.subarray(at + 16);
		if (frame.readUInt16BE(12) === 0x0800 && frame[14 + 9] === 1) count++;
	}
	return count;
}

test('two machines, OpenSBI on one hart and the built-in SBI on four: disk, network', { timeout: TIMEOUT }, async ({
	skip,
}) => {
	if (!images) return skip(unavailable);
	if (!installed('mke2fs', '-V')) return skip('e2fsprogs is not installed');
	const folder = scratch();
	const disk = path.join(folder, 'disk.img');
	const root = path.join(folder, 'root');
	mkdirSync(root);
	const content = Array.from({ length: 5000 }, (_, line) => `line ${line}\n`).join('');
	writeFileSync(path.join(root, 'from-host'), content);
	expect(spawnSync('mke2fs', ['-q', '-t', 'ext4', '-d', root, disk, '64M']).status).toBe(0);
	const port = await freePort();
	const pcap = path.join(folder, 'net.pcap');

	const left = guest([
		...boot('openSbiJump', images),
		...['--drive', disk, '--net', `stream-listen:${port}`, '--pcap', pcap],
	]);
	const right = guest([...boot('builtin', images), '--harts', '4', '--net', `stream:127.0.0.1:${port}`]);
	await Promise.all([left.prompt(), right.prompt()]);
	expect(left.console).toContain('OpenSBI v1.6');
	expect(await left.say('uname -a; nproc')).toMatch(/Linux partita 6\.12\.\S+ .*riscv64[\s\S]*^1\r$/m);
	expect(await right.say('nproc')).toMatch(/^4\r$/m);

	expect(await left.say('mount -t ext4 /dev/vda /mnt && wc -l /mnt/from-host')).toContain('5000 /mnt/from-host');
	await left.say('sort -r /mnt/from-host > /mnt/sorted; head -c 20000000 /dev/urandom > /mnt/random; sync');
	const sum = /[0-9a-f]{32}/.exec(await left.say('md5sum /mnt/random'))?.[0];
	await left.say('rm /mnt/from-host; umount /mnt');

	expect(await left.say(address(1))).toMatch(/^up\r$/m);
	expect(await right.say(address(2))).toMatch(/^up\r$/m);
	expect(await right.say('ping -c 3 10.0.0.1')).toMatch(PINGED);
	expect(await left.say('ping -c 3 10.0.0.2')).toMatch(PINGED);
	expect(await Promise.all([left.powerOff(), right.powerOff()])).toEqual([0, 0]);
	expect(left.console).toContain('reboot: Power down');

	expect(pings(pcap)).toBe(12);
	const check = spawnSync('e2fsck', ['-fn', disk], { encoding: 'utf8' });
	expect(check.status, check.stdout).toBe(0);
	const read = (name: string): Buffer =>
		spawnSync('debugfs', ['-R', `cat /${name}`, disk], { maxBuffer: 1 << 26 }).stdout;
	expect(read('sorted').toString()).toBe(
		content
			.split(/(?<=\n)/)
			.sort()
			.reverse()
			.join(''),
	);
	expect(spawnSync('md5sum', { input: read('random'), encoding: 'utf8' }).stdout).toContain(sum);
	expect(read('from-host')).toHaveLength(0);
});

test('fw_dynamic on four harts, and a guest of QEMU at the other end of the cable', { timeout: TIMEOUT }, async ({
	skip,
}) => {
	if (!images) return skip(unavailable);
	if (!installed('qemu-system-riscv64', '--version')) return skip('QEMU is not installed');
	const port = await freePort();
	const ours = guest([...boot('openSbiDynamic', images), '--harts', '4', '--net', `stream-listen:${port}`]);
	// QEMU tries to connect once: our end has to be there.
	await ours.until('OpenSBI v1.6');
	const theirs = new ShellGuest('qemu-system-riscv64', [
		...['-M', 'virt', '-m', '512M', '-nographic', '-no-reboot', '-bios', images.openSbiJump],
		...['-kernel', images.kernel, '-initrd', images.initrd, '-append', 'console=ttyS0 earlycon=sbi'],
		...['-netdev', `stream,id=n,server=off,addr.type=inet,addr.host=127.0.0.1,addr.port=${port}`],
		...['-device', 'virtio-net-device,netdev=n'],
	]);
	await Promise.all([ours.prompt(), theirs.prompt()]);
	expect(await ours.say('nproc')).toMatch(/^4\r$/m);
	expect(await ours.say(address(1))).toMatch(/^up\r$/m);
	expect(await theirs.say(address(2))).toMatch(/^up\r$/m);
	expect(await ours.say('ping -c 3 10.0.0.2')).toMatch(PINGED);
	expect(await theirs.say('ping -c 3 10.0.0.1')).toMatch(PINGED);
	expect(await Promise.all([ours.powerOff(), theirs.powerOff()])).toEqual([0, 0]);
});

test('a boot that goes on from a snapshot in a new process is the same boot', { timeout: TIMEOUT }, async ({
	skip,
}) => {
	if (!images) return skip(unavailable);
	const snapshot = path.join(scratch(), 'snapshot');
	const machine = [...boot('openSbiJump', images), '--harts', '4', '--trace-hash'];
	const end = ['--stop-after', '700_000_000'];
	const [whole, first] = await Promise.all([
		partita([...machine, ...end]),
		partita([...machine, '--stop-after', '333_333_333', '--snapshot-save', snapshot]),
	]);
	const second = await partita(['boot', '--snapshot-load', snapshot, '--trace-hash', ...end]);
	expect([whole.status, first.status, second.status]).toEqual([0, 0, 0]);
	expect(second.stderr).toBe(whole.stderr);
	expect(first.stdout + second.stdout).toBe(whole.stdout);
	expect(whole.stdout).toContain('Linux version 6.12');
	expect(first.stdout.length).toBeGreaterThan(1000);
	expect(second.stdout.length).toBeGreaterThan(1000);
});

test('demo: to the shell prompt, uname -a, power off', { timeout: TIMEOUT }, async ({ skip }) => {
	if (!images) return skip(unavailable);
	const cache = mkdtempSync(path.join(scratch(), 'cache-'));
	mkdirSync(path.join(cache, 'partita'));
	symlinkSync(IMAGE_FOLDER, path.join(cache, 'partita', 'images'));
	const env = { ...process.env, XDG_CACHE_HOME: cache };
	const { status, stdout, stderr } = await outcome(start(['demo'], { env, stdio: ['ignore', 'pipe', 'pipe'] }));
	expect({ status, stderr }).toEqual({
		status: 0,
		stderr: "Booting Debian's Linux on a RISC-V machine in this process.\n",
	});
	expect(stdout).toMatch(/Linux partita 6\.12\.\S+ .* riscv64 GNU\/Linux\r\n/);
	expect(stdout).toContain('reboot: Power down');
});
