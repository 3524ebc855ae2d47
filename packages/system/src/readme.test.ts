// The README's example prints what it says.
import { expect, test } from 'vitest';
import { runReadmeExample } from '../../../tooling/readme.ts';
import * as hypervisor from './hypervisor.ts';
import * as system from './index.ts';
import * as microkernel from './microkernel.ts';
import * as parts from './parts.ts';

test("the README's example prints what it says", async () => {
	const { printed, expected } = await runReadmeExample(new URL('../README.md', import.meta.url), {
		'@partita/system': system,
		'@partita/system/hypervisor': hypervisor,
		'@partita/system/microkernel': microkernel,
		'@partita/system/parts': parts,
	});
	expect(printed).toEqual(expected);
});
