// The README's example prints what it says.
import * as riscv from '@partita/riscv';
import { expect, test } from 'vitest';
import { runReadmeExample } from '../../../tooling/readme.ts';
import * as microkit from './index.ts';

test("the README's example prints what it says", async () => {
	const { printed, expected } = await runReadmeExample(new URL('../README.md', import.meta.url), {
		'@partita/microkit': microkit,
		'@partita/riscv': riscv,
	});
	expect(printed).toEqual(expected);
});
