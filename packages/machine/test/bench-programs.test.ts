/// <reference types="node" />
/** The programs of `pnpm bench:machine`: they are what their sources say, and QEMU comes to the same checksums. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { build, compilerVersion, programNames } from '../bench/programs/build.ts';
import { qemuParameters, SHORT_ROUNDS, setParameters } from '../bench/programs/parameters.ts';
import { guestOf, runToEnd } from './support/guest.ts';
import { qemuRun, qemuVersion } from './support/qemu.ts';

/** Debian 12's: what the committed files are built with. */
const COMPILER = '12.2.0';
const MEBIBYTES = 128;

const folder = join(import.meta.dirname, '..', 'bench', 'programs');
const elfOf = (name: string, from = folder): Buffer => readFileSync(join(from, `${name}.elf`));
const names = programNames();

test('there are rounds for each program', () => {
	expect(names.length).toBeGreaterThan(0);
	expect(names).toEqual(Object.keys(SHORT_ROUNDS).sort());
});

const compiler = compilerVersion();
if (compiler !== COMPILER)
	console.warn(
		`skipped: the programs are built with gcc-riscv64-unknown-elf ${COMPILER}, here is ${compiler ?? 'none'}`,
	);
test.skipIf(compiler !== COMPILER)('the committed files are what the sources build', () => {
	const built = mkdtempSync(join(tmpdir(), 'partita-programs-'));
	try {
		build(names, built);
		for (const name of names) expect(elfOf(name, built).equals(elfOf(name)), name).toBe(true);
	} finally {
		rmSync(built, { recursive: true });
	}
});

describe.skipIf(!qemuVersion).for([1, 2] as const)('%i stages of address translation', (stages) => {
	test.for(names)('%s', (name) => {
		const parameters = { rounds: SHORT_ROUNDS[name]!, stages };
		const kernel = elfOf(name);
		const { machine, printed } = guestOf({
			memory: MEBIBYTES * 2 ** 20,
			images: { firmware: 'none', kernel },
		});
		setParameters(machine.memory, parameters);
		expect(runToEnd(machine)).toEqual({ reason: 'ended', ending: { reason: 'power-off', code: 0 } });
		expect(printed()).toMatch(/^[0-9a-f]{16}\n$/);
		expect(qemuRun(kernel, MEBIBYTES, qemuParameters(parameters))).toEqual({ status: 0, printed: printed() });
		expect(machine.executed).toBeGreaterThan(500_000);
	});
});
