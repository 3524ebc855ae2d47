// What is not selected is absent: the bundle of one composition has no module of the other, nor of a policy or a device that it
// was not given; by the bundler's own account. The root entry has no kernel at all.
/// <reference types="node" />
import path from 'node:path';
import { build } from 'esbuild';
import { expect, test } from 'vitest';

/** Files of the workspace that were linked, as `sched/src/round-robin.ts`. */
async function linked(contents: string): Promise<string[]> {
	const { metafile } = await build({
		stdin: { contents, resolveDir: import.meta.dirname },
		conditions: ['@partita/source'],
		bundle: true,
		format: 'esm',
		metafile: true,
		write: false,
		logLevel: 'error',
	});
	return Object.values(metafile.outputs).flatMap(({ inputs }) =>
		Object.entries(inputs)
			.filter(([, { bytesInOutput }]) => bytesInOutput > 0)
			.map(([file]) => path.relative(path.join(import.meta.dirname, '..', '..'), path.resolve(file))),
	);
}

const packagesOf = (files: readonly string[]): string[] =>
	[...new Set(files.map((file) => file.split(path.sep)[0]!))].sort();

const HYPERVISOR = `
	export { assembleHypervisor } from '@partita/system/hypervisor';
	export { fixedPriority } from '@partita/system/parts';
`;
const MICROKERNEL = HYPERVISOR.replace('assembleHypervisor', 'assembleMicrokernel').replace(
	'/hypervisor',
	'/microkernel',
);

test('a hypervisor has no module of the microkernel', async () => {
	const packages = packagesOf(await linked(HYPERVISOR));
	expect(packages).toEqual(expect.arrayContaining(['hypervisor', 'vmm', 'sched', 'machine']));
	for (const absent of ['microkernel', 'capability', 'ipc']) expect(packages).not.toContain(absent);
});

test('a microkernel system has no module of the hypervisor', async () => {
	const packages = packagesOf(await linked(MICROKERNEL));
	expect(packages).toEqual(expect.arrayContaining(['microkernel', 'capability', 'ipc', 'sched', 'machine']));
	expect(packages).not.toContain('hypervisor');
});

test('policies and devices that an assembly was not given are absent', async () => {
	const files = (await linked(HYPERVISOR)).map((file) => file.split(path.sep).join('/'));
	expect(files).toContain('sched/src/fixed-priority.ts');
	expect(files).not.toContain('sched/src/round-robin.ts');
	expect(packagesOf(files)).not.toContain('drivers');
	const more = await linked(`${HYPERVISOR} export { roundRobin } from '@partita/system/parts';`);
	expect(more.map((file) => file.split(path.sep).join('/'))).toContain('sched/src/round-robin.ts');
});

test('the root entry checks and plans without a kernel', async () => {
	const packages = packagesOf(await linked(`export * from '@partita/system';`));
	for (const absent of ['hypervisor', 'microkernel', 'vmm', 'drivers', 'capability', 'ipc'])
		expect(packages).not.toContain(absent);
});
