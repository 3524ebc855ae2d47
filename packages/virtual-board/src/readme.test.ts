// The README's example prints what it says.
import * as hypervisor from '@partita/hypervisor';
import * as kernelCosts from '@partita/kernel-costs';
import * as machine from '@partita/machine';
import * as riscv from '@partita/riscv';
import * as sched from '@partita/sched';
import { expect, test } from 'vitest';
import { runReadmeExample } from '../../../tooling/readme.ts';
import * as virtualBoard from './index.ts';

test("the README's example prints what it says", async () => {
	const { printed, expected } = await runReadmeExample(new URL('../README.md', import.meta.url), {
		'@partita/hypervisor': hypervisor,
		'@partita/kernel-costs': kernelCosts,
		'@partita/machine': machine,
		'@partita/riscv': riscv,
		'@partita/sched': sched,
		'@partita/virtual-board': virtualBoard,
	});
	expect(printed).toEqual(expected);
});
