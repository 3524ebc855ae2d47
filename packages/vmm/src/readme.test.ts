// The README's example prints what it says.
import * as cpu from '@partita/cpu';
import * as machine from '@partita/machine';
import * as riscv from '@partita/riscv';
import { expect, test } from 'vitest';
import { runReadmeExample } from '../../../tooling/readme.ts';
import * as vmm from './index.ts';

test("the README's example prints what it says", async () => {
	const { printed, expected } = await runReadmeExample(new URL('../README.md', import.meta.url), {
		'@partita/cpu': cpu,
		'@partita/machine': machine,
		'@partita/riscv': riscv,
		'@partita/vmm': vmm,
	});
	expect(printed).toEqual(expected);
});
