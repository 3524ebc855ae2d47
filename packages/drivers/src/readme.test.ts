// The README's example prints what it says.
import * as devices from '@partita/devices';
import { expect, test } from 'vitest';
import { runReadmeExample } from '../../../tooling/readme.ts';
import * as drivers from './index.ts';

test("the README's example prints what it says", async () => {
	const { printed, expected } = await runReadmeExample(new URL('../README.md', import.meta.url), {
		'@partita/devices': devices,
		'@partita/drivers': drivers,
	});
	expect(printed).toEqual(expected);
});
