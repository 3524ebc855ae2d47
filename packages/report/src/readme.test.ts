// The README's example prints what it says.
import { expect, test } from 'vitest';
import { runReadmeExample } from '../../../tooling/readme.ts';
import * as report from './index.ts';

test("the README's example prints what it says", async () => {
	const { printed, expected } = await runReadmeExample(new URL('../README.md', import.meta.url), {
		'@partita/report': report,
	});
	expect(printed).toEqual(expected);
});
