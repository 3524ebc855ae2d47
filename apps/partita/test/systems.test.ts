// `partita run`, `compare`, `check`, `graph`: systems from examples and files, reports, traces, snapshots, what cannot be.
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import type { ComparisonRecord, RunRecord } from '@partita/report';
import { describe, expect, test } from 'vitest';
import { outcome, partita, scratch, start } from './support/cli.ts';
import { counter, place } from './support/guests.ts';

const YAML = `
name: small
machine: { memory: 16MiB }
duration: 20ms
scheduling: { policy: fixed-priority }
images:
  kernel: { guest: real-time, control: { name: control, period: 1ms, work: 200000 } }
  counter: { file: counter.elf }
cells:
  - name: control
    vm: { image: kernel, memory: 1MiB, priority: 200 }
    placement: { hypervisor: vm }
  - name: counter
    vm: { image: counter, memory: 1MiB, priority: 10, deviceTree: false }
    placement: { hypervisor: vm }
`;

/** A folder with a system in it. */
function small(text = YAML): { folder: string; file: string } {
	const folder = scratch();
	place(folder, 'counter.elf', counter());
	const file = path.join(folder, 'small.yaml');
	writeFileSync(file, text);
	return { folder, file };
}

describe('run', () => {
	test('a YAML description with an image in a file, beside it', async () => {
		const { folder, file } = small();
		const json = path.join(folder, 'report.json');
		const trace = path.join(folder, 'trace.json');
		const { status, stdout, stderr } = await partita([
			'run',
			file,
			'--as',
			'hypervisor',
			'--json',
			json,
			'--trace',
			trace,
		]);
		expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
		expect(stdout).toMatch(/control +control +hypervisor +1\d +0 +20\d(\.\d)? ..s/);
		const record = JSON.parse(readFileSync(json, 'utf8')) as RunRecord;
		expect(record).toMatchObject({ schema: 'partita-run/1', system: 'small', nanos: 20_000_000 });
		expect(record.cells[1]!.entities[0]!.runNanos).toBeGreaterThan(15_000_000);
		// The trusted base was measured, and holds what the kernel is made of.
		const packages = record.linked![0]!.packages.map(({ name }) => name);
		expect(packages).toEqual(expect.arrayContaining(['@partita/hypervisor', '@partita/vmm', '@partita/sched']));
		expect(packages).not.toContain('@partita/cpu');
		for (const { bytes } of record.linked![0]!.packages) expect(bytes).toBeGreaterThan(100);
		const { traceEvents } = JSON.parse(readFileSync(trace, 'utf8')) as { traceEvents: { name: string }[] };
		const names = new Set(traceEvents.map(({ name }) => name));
		for (const name of ['control', 'counter', 'timer', 'wait', 'process_name']) expect(names).toContain(name);
	});

	test('JavaScript gives the same as YAML, and two runs the same bytes', async () => {
		const { folder, file } = small();
		const script = path.join(folder, 'small.mjs');
		writeFileSync(
			script,
			`export default {
				name: 'small', machine: { memory: '16MiB' }, duration: 20e6, scheduling: { policy: 'fixed-priority' },
				images: { kernel: { guest: 'real-time', control: { name: 'control', period: 1e6, work: 2e5 } }, counter: { file: 'counter.elf' } },
				cells: [
					{ name: 'control', vm: { image: 'kernel', memory: 2 ** 20, priority: 200 }, placement: { hypervisor: 'vm' } },
					{ name: 'counter', vm: { image: 'counter', memory: 2 ** 20, priority: 10, deviceTree: false }, placement: { hypervisor: 'vm' } },
				],
			};`,
		);
		const report = async (source: string, name: string): Promise<string> => {
			const json = path.join(folder, name);
			expect(await partita(['run', source, '--as', 'hypervisor', '--json', json])).toMatchObject({ status: 0 });
			return readFileSync(json, 'utf8');
		};
		const first = await report(file, 'a.json');
		expect(await report(file, 'b.json')).toBe(first);
		expect(await report(script, 'c.json')).toBe(first);
	});

	test('a saved system goes on to the same end', async () => {
		const { folder, file } = small();
		const at = (name: string): string => path.join(folder, name);
		const run = async (...args: string[]): Promise<void> => {
			expect(await partita(['run', file, '--as', 'hypervisor', ...args])).toMatchObject({ status: 0, stderr: '' });
		};
		await run('--json', at('whole.json'));
		await run('--for', '7.3ms', '--snapshot-save', at('system.snapshot'));
		await run('--snapshot-load', at('system.snapshot'), '--json', at('rest.json'));
		expect(readFileSync(at('rest.json'), 'utf8')).toBe(readFileSync(at('whole.json'), 'utf8'));

		writeFileSync(at('other.yaml'), YAML.replace('priority: 10', 'priority: 11'));
		const other = await partita([
			'run',
			at('other.yaml'),
			'--as',
			'hypervisor',
			'--snapshot-load',
			at('system.snapshot'),
		]);
		expect(other.status).toBe(125);
		expect(other.stderr).toMatch(/--snapshot-load: .*\n {2}why: snapshot: it is of another system/);
	});

	test('--strict: missed deadlines are a failure', async () => {
		const { file } = small(YAML.replace('priority: 200', 'priority: 1'));
		const args = ['run', file, '--as', 'hypervisor'];
		expect(await partita(args)).toMatchObject({ status: 0 });
		expect(await partita([...args, '--strict'])).toMatchObject({ status: 1 });
	});

	test('Ctrl-C ends a run, which tells what ran', async () => {
		const { file } = small();
		const child = start(['run', file, '--as', 'hypervisor', '--for', '2000s'], { stdio: ['ignore', 'pipe', 'pipe'] });
		const ended = outcome(child);
		// Late enough for the run to have begun, whatever else the host does: before that the signal just ends it.
		const text = setInterval(() => child.kill('SIGINT'), 3000);
		const { status, stdout } = await ended;
		clearInterval(text);
		expect(status).toBe(130);
		expect(stdout).toContain('Deadlines and response times');
	});
});

describe('compare', () => {
	test('without arguments, the gateway: both compositions, report and trace', { timeout: 300_000 }, async () => {
		const folder = scratch();
		const first = await outcome(start([], { cwd: folder, stdio: ['ignore', 'pipe', 'pipe'] }));
		expect(first.status).toBe(0);
		expect(first.stderr).toContain('report: gateway.report.json\ntime line, for ui.perfetto.dev: gateway.trace.json\n');
		const report = readFileSync(path.join(folder, 'gateway.report.json'), 'utf8');
		const { runs } = JSON.parse(report) as ComparisonRecord;
		expect(runs.map(({ composition }) => composition)).toEqual(['hypervisor', 'microkernel']);
		for (const { cells, linked, kernel, nanos } of runs) {
			for (const { tasks, entities } of cells) {
				for (const task of tasks) expect(task, task.name).toMatchObject({ missed: 0 });
				for (const entity of entities) expect(entity.fault, entity.name).toBeUndefined();
			}
			expect(linked!.length).toBeGreaterThan(0);
			expect(kernel.nanos).toBeGreaterThan(0);
			expect(nanos).toBeGreaterThanOrEqual(1e9);
		}
		const control = runs.map(({ cells }) => cells[0]!.tasks[0]!);
		expect(control.map(({ name }) => name)).toEqual(['control', 'control']);
		// Its own thread answers sooner than a task in a server.
		expect(control[1]!.latency!.max).toBeLessThan(control[0]!.latency!.max);
		// Neither kernel is in the other's trusted base.
		const base = runs.map(({ linked }) => linked!.flatMap(({ packages }) => packages.map(({ name }) => name)));
		expect(base[0]).toContain('@partita/hypervisor');
		expect(base[0]).not.toContain('@partita/microkernel');
		expect(base[1]).toContain('@partita/microkernel');
		expect(base[1]).not.toContain('@partita/hypervisor');
		const { traceEvents } = JSON.parse(readFileSync(path.join(folder, 'gateway.trace.json'), 'utf8')) as {
			traceEvents: { name: string; args?: { name?: string } }[];
		};
		const tracks = traceEvents.filter(({ name }) => name === 'process_name').map(({ args }) => args!.name);
		expect(tracks).toEqual(['hypervisor', 'microkernel']);
	});

	test('two comparisons are the same, byte for byte', { timeout: 120_000 }, async () => {
		const folder = scratch();
		const compared = async (name: string): Promise<string[]> => {
			const json = path.join(folder, name);
			const { status, stdout } = await partita(['compare', 'gateway', '--for', '50ms', '--json', json, '--no-trace']);
			expect(status).toBe(0);
			return [stdout, readFileSync(json, 'utf8')];
		};
		expect(await compared('a.json')).toEqual(await compared('b.json'));
	});

	test('a system that exists one way only is refused', async () => {
		const { status, stderr } = await partita(['compare', small().file]);
		expect({ status, stderr }).toEqual({ status: 125, stderr: expect.stringMatching(/exists as hypervisor only/) });
	});
});

describe('check', () => {
	test('says what a system is', async () => {
		const { file } = small();
		expect(await partita(['check', file])).toEqual({
			status: 0,
			stdout: 'small as hypervisor: 2 virtual machines, 0 domains, 0 channels\n',
			stderr: '',
		});
	});

	test('the examples can be', async () => {
		const { status, stdout } = await partita(['check', 'gateway']);
		expect(status).toBe(0);
		expect(stdout).toContain('gateway as microkernel: 1 virtual machine, 4 domains, 1 channel');
	});

	test('says all that speaks against one, with line and column', async () => {
		const { file } = small(YAML.replace('memory: 16MiB', 'memory: 16MB').replace('priority: 200', 'priority: 999'));
		const { status, stdout, stderr } = await partita(['check', file]);
		expect({ status, stdout }).toEqual({ status: 125, stdout: '' });
		expect(stderr).toMatch(
			/small\.yaml cannot be: 2 problems\n {2}3:12: machine\.memory: .*\n {4}try: .*\n {2}11:40: cells\[0\]\.vm\.priority: 999/,
		);
	});

	test.each<[string, string, RegExp]>([
		['no such example', 'gate', /there is no system "gate"\n {2}why: .*\n {2}try: one of gateway, or a file/],
		['no such file', 'nowhere.yaml', /system: cannot read nowhere\.yaml\n {2}why: there is no such file/],
		['no such script', 'nowhere.js', /system: cannot read nowhere\.js/],
	])('%s', async (_, source, message) => {
		const { status, stderr } = await partita(['check', source]);
		expect(stderr).toMatch(message);
		expect(status).toBe(125);
	});

	test('an image that is missing', async () => {
		const { status, stderr } = await partita(['check', small(YAML.replace('counter.elf', 'nothing.elf')).file]);
		expect(stderr).toMatch(/images\.counter\.file: "nothing\.elf" cannot be read: there is no such file/);
		expect(status).toBe(125);
	});

	test('a script that fails, or exports nothing', async () => {
		const folder = scratch();
		const script = (text: string): string => {
			const file = path.join(folder, `${text.length}.mjs`);
			writeFileSync(file, text);
			return file;
		};
		expect((await partita(['check', script('throw new Error("oh")')])).stderr).toMatch(
			/cannot be imported\n {2}why: oh/,
		);
		expect((await partita(['check', script('')])).stderr).toMatch(/exports no description\n {2}try: export default/);
	});
});

test('usage errors', async () => {
	expect(await partita(['run', 'gateway'])).toMatchObject({ status: 125, stderr: expect.stringMatching(/--as/) });
	expect(await partita(['run', 'gateway', '--as', 'bare'])).toMatchObject({ status: 125 });
	const wrong = await partita(['run', 'gateway', '--as', 'hypervisor', '--for', '5']);
	expect(wrong).toMatchObject({ status: 125, stderr: expect.stringMatching(/number and a unit/) });
	const place = await partita(['run', 'gateway', '--as', 'hypervisor', '--json', '/nowhere/at/all.json']);
	expect(place).toMatchObject({ status: 125, stdout: '', stderr: expect.stringMatching(/--json: cannot write/) });
});

test('graph', async () => {
	const { status, stdout } = await partita(['graph', 'gateway', '--as', 'hypervisor', '--format', 'dot']);
	expect(status).toBe(0);
	expect(stdout).toMatch(/^digraph "gateway as hypervisor" \{\n/);
});
