/** The README's example prints what it says. */
import * as costs from '@partita/kernel-costs';
import * as machine from '@partita/machine';
import * as riscv from '@partita/riscv';
import * as sched from '@partita/sched';
import { expect, test } from 'vitest';
import { runReadmeExample } from '../../../tooling/readme.ts';
import * as microkernel from './index.ts';

test("the README's example prints what it says", async () => {
	const { printed, expected } = await runReadmeExample(new URL('../README.md', import.meta.url), {
		'@partita/kernel-costs': costs,
		'@partita/machine': machine,
		'@partita/microkernel': microkernel,
		'@partita/riscv': riscv,
		'@partita/sched': sched,
	});
	expect(printed).toEqual(expected);
});
