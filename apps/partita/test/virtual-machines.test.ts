// Two unmodified Debians and a real-time guest on one hart, under the hypervisor: they come to their shells, ping each other and
// copy a file over TCP; a firewall rule holds; one Linux crashes and is started again; and the real-time guest misses no
// deadline meanwhile.

import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { readReportArea, realTimeGuest } from '@partita/guests';
import { type HypervisorFactory, hypervisor } from '@partita/hypervisor';
import { u54h } from '@partita/kernel-costs';
import { Machine, placeImage } from '@partita/machine';
import { VirtualSwitch } from '@partita/network';
import { type EntityParameters, FixedPriority } from '@partita/sched';
import { PcapWriter } from '@partita/trace';
import { virtualBoard } from '@partita/virtual-board';
import { expect, test } from 'vitest';
import { scratch } from './support/cli.ts';
import { debianImages, installed } from './support/debian.ts';

const MIB = 2 ** 20;
const RAM = 0x8000_0000;
/** Instructions in which anything that is waited for here must have come: far more than it takes. */
const PATIENCE = 4e9;

/** The hypervisor, and shells in its VMs. */
class Shells {
	readonly machine: Machine;
	readonly #factory: HypervisorFactory<EntityParameters>;
	readonly #printed = new Map<string, string>();

	constructor(config: Omit<Parameters<typeof hypervisor<EntityParameters>>[0], 'onConsole'>, memory: number) {
		this.#factory = hypervisor({
			...config,
			onConsole: (vm, bytes) => {
				this.#printed.set(vm, this.printed(vm) + new TextDecoder('latin1').decode(bytes));
			},
		});
		this.machine = new Machine({ memory, kernel: this.#factory });
	}

	get kernel(): NonNullable<HypervisorFactory<EntityParameters>['kernel']> {
		return this.#factory.kernel!;
	}

	/** What a VM has printed since it was last told something. */
	printed(vm: string): string {
		return this.#printed.get(vm) ?? '';
	}

	/** Runs until a VM has printed a text. */
	until(vm: string, text: string): string {
		for (const end = this.machine.executed + PATIENCE; !this.printed(vm).includes(text); this.machine.run(1e6)) {
			if (this.machine.executed > end)
				throw new Error(`${vm} does not print ${text}:\n${this.printed(vm).slice(-2000)}`);
		}
		return this.printed(vm);
	}

	/** Starts a VM again. */
	restart(vm: string): void {
		this.#printed.set(vm, '');
		this.kernel.reset(vm);
	}

	/** Types a line. */
	type(vm: string, line: string): void {
		this.#printed.set(vm, '');
		let rest = new TextEncoder().encode(`${line}\n`);
		while (rest.length > 0) {
			rest = rest.subarray(this.kernel.receive(vm, rest));
			this.machine.run(1e5);
		}
	}

	/** Types a line; what is printed until it is done. */
	say(vm: string, line: string): string {
		this.type(vm, `${line}; echo DO"NE"`);
		return this.until(vm, 'DONE');
	}
}

test('two Debians and a real-time guest on one hart', { timeout: 900_000 }, async ({ skip }) => {
	const images = await debianImages();
	if ('unavailable' in images) return skip(images.unavailable);
	const [kernel, initrd] = [readFileSync(images.kernel), readFileSync(images.initrd)];
	const task = { name: 'control', period: 1_000_000, work: 100_000, samples: 100_000 };
	const control = placeImage('control', realTimeGuest({ control: task }), RAM, RAM);
	const capture: Uint8Array[] = [];
	const pcap = new PcapWriter((bytes) => capture.push(bytes));
	const lan = new VirtualSwitch({
		name: 'lan',
		ports: [
			{ name: 'left', addresses: ['52:54:00:00:00:01'] },
			{ name: 'right', to: [{ action: 'deny', protocol: 'tcp', destinationPort: 23 }] },
		],
		onFrame: (port, _direction, frame, time) => {
			if (port === 'left') pcap.packet(time, frame);
		},
	});
	const linux = (name: string, number: number) => ({
		name,
		...virtualBoard({
			memory: 128 * MIB,
			kernel,
			initrd,
			append: 'console=ttyS0 earlycon=sbi',
			randomSeed: new Uint8Array(32).fill(number),
			virtio: [{ kind: 'net', mac: Uint8Array.of(0x52, 0x54, 0, 0, 0, number), ...lan.port(name) }],
		}),
		schedule: { priority: 100, slice: 2_000_000 },
	});
	const shells = new Shells(
		{
			vms: [
				{
					name: 'control',
					memory: { base: RAM, size: 2 * MIB },
					boot: { parts: control.parts, entry: control.entry },
					schedule: { priority: 200 },
				},
				linux('left', 1),
				linux('right', 2),
			],
			policy: new FixedPriority(),
			costs: u54h,
			parts: [lan],
		},
		320 * MIB,
	);

	for (const [vm, address] of [
		['left', 1],
		['right', 2],
	] as const) {
		shells.until(vm, '~# ');
		shells.say(vm, `ip addr add 10.0.0.${address}/24 dev eth0; ip link set eth0 up`);
	}
	expect(shells.say('left', 'ping -c 3 10.0.0.2')).toContain('3 packets transmitted, 3 packets received');

	const [, sum] = /^([0-9a-f]{32}) {2}/m.exec(
		shells.say('right', 'dd if=/dev/urandom of=/tmp/f bs=64k count=8 2>/dev/null; md5sum /tmp/f'),
	)!;
	shells.say('right', '(nc -l -p 9000 < /tmp/f &) ; (nc -l -p 23 < /tmp/f &)');
	expect(shells.say('left', 'nc 10.0.0.2 9000 | md5sum')).toContain(sum);
	expect(shells.say('left', 'nc -w 1 10.0.0.2 23 | wc -c')).toMatch(/^0\r?$/m);
	expect(lan.statistics('right').lost.denied).toBeGreaterThan(0);

	shells.type('right', 'echo c > /proc/sysrq-trigger');
	shells.until('right', 'Kernel panic - not syncing: sysrq triggered crash');
	shells.restart('right');
	expect(shells.until('right', '~# ')).toContain('Linux version');
	expect(shells.say('left', 'echo still here')).toMatch(/^still here\r?$/m);

	const area = Number(control.symbols.get('report_area'));
	const [report] = readReportArea((offset, into) => shells.kernel.memory('control').read(area + offset, into))!;
	expect(report!.missed).toBe(0);
	expect(report!.completed).toBeGreaterThan(3000);
	const { vms } = shells.kernel.statistics;
	expect(vms.map(({ name, restarts }) => [name, restarts])).toEqual([
		['control', 0],
		['left', 0],
		['right', 1],
	]);

	// An independent program reads the capture.
	if (!installed('tcpdump', '--version')) return skip('tcpdump is not installed');
	const file = path.join(scratch(), 'left.pcap');
	writeFileSync(file, Buffer.concat(capture));
	const { stdout } = spawnSync('tcpdump', ['-nr', file, 'icmp'], { encoding: 'utf8' });
	expect(stdout.match(/ICMP echo (request|reply)/g)).toHaveLength(6);
});
