// The README's example prints what it says.
import * as memory from '@partita/memory';
import * as riscv from '@partita/riscv';
import { expect, test } from 'vitest';
import { runReadmeExample } from '../../../tooling/readme.ts';
import * as cpu from './index.ts';

test("the README's example prints what it says", async () => {
	const { printed, expected } = await runReadmeExample(new URL('../README.md', import.meta.url), {
		'@partita/cpu': cpu,
		'@partita/memory': memory,
		'@partita/riscv': riscv,
	});
	expect(printed).toEqual(expected);
});
