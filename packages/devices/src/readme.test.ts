// The README's example prints what it says.
import { expect, test } from 'vitest';
import { runReadmeExample } from '../../../tooling/readme.ts';
import * as devices from './index.ts';
import * as testing from './testing/index.ts';

test("the README's example prints what it says", async () => {
	const { printed, expected } = await runReadmeExample(new URL('../README.md', import.meta.url), {
		'@partita/devices': devices,
		'@partita/devices/testing': testing,
	});
	expect(printed).toEqual(expected);
});
