// The README's example prints what it says.
import * as trace from '@partita/trace';
import { expect, test } from 'vitest';
import { runReadmeExample } from '../../../tooling/readme.ts';
import * as network from './index.ts';

test("the README's example prints what it says", async () => {
	const { printed, expected } = await runReadmeExample(new URL('../README.md', import.meta.url), {
		'@partita/network': network,
		'@partita/trace': trace,
	});
	expect(printed).toEqual(expected);
});
