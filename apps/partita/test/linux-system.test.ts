// One description with an unmodified Debian in a virtual machine beside a control task, assembled both ways: Linux comes to its
// shell, and the control task misses nothing meanwhile.
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import type { RunRecord } from '@partita/report';
import { expect, test } from 'vitest';
import { partita, scratch } from './support/cli.ts';
import { debianImages } from './support/debian.ts';

const TIMEOUT = 600_000;

test.for(['hypervisor', 'microkernel'])('%s', { timeout: TIMEOUT }, async (composition, { skip }) => {
	const images = await debianImages();
	if ('unavailable' in images) return skip(images.unavailable);
	const control = { name: 'control', period: '1ms', work: 100_000 };
	const description = {
		name: 'linux-beside-control',
		machine: { memory: '320MiB' },
		scheduling: { policy: 'fixed-priority' },
		images: {
			kernel: { file: images.kernel },
			initrd: { file: images.initrd },
			'control-kernel': { guest: 'real-time', control },
			control: { guest: 'periodic', task: control },
		},
		cells: [
			{
				name: 'control',
				vm: { image: 'control-kernel', memory: '1MiB', priority: 200 },
				domains: [{ name: 'control', image: 'control', priority: 200, budget: '130us', period: '1ms' }],
				placement: { hypervisor: 'vm', microkernel: 'domains' },
			},
			{
				name: 'linux',
				licence: 'GPL-2.0-only',
				vm: {
					image: 'kernel',
					initrd: 'initrd',
					append: 'console=ttyS0',
					memory: '256MiB',
					priority: 100,
					monitor: { priority: 150 },
					devices: [
						{ kind: 'plic', address: 0xc00_0000 },
						{ kind: 'uart', address: 0x1000_0000, interrupt: 10 },
					],
				},
				placement: { hypervisor: 'vm', microkernel: 'vm' },
			},
		],
	};
	const folder = scratch();
	const file = path.join(folder, 'system.json');
	const json = path.join(folder, 'report.json');
	writeFileSync(file, JSON.stringify(description));
	const { status, stderr } = await partita(['run', file, '--as', composition, '--for', '2.2s', '--json', json]);
	expect(status).toBe(0);
	expect(stderr).toContain('partita:~# ');
	const [cell] = (JSON.parse(readFileSync(json, 'utf8')) as RunRecord).cells;
	expect(cell!.tasks[0]).toMatchObject({ name: 'control', missed: 0 });
	expect(cell!.tasks[0]!.completed).toBeGreaterThan(2190);
	// Its work, and the paths of the kernel and of monitors that cannot be preempted.
	expect(cell!.tasks[0]!.latency!.max).toBeLessThan(150_000);
});
