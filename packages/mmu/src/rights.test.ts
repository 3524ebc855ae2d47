import { expect, test } from 'vitest';
import { leafRights } from './rights.ts';

// Each line of the specification is one rule here, and a right is what no rule denies.
const RULES: readonly [
	text: string,
	denies: (page: Page, check: Check, access: 'readable' | 'writable' | 'executable') => boolean,
][] = [
	['U-mode software may only access the page when U=1', (page, check) => check.user && !page.u],
	[
		'If SUM is set, supervisor mode software may also access pages with U=1',
		(page, check, access) => !check.user && page.u && access !== 'executable' && !check.sum,
	],
	[
		'Irrespective of SUM, the supervisor may not execute code on pages with U=1',
		(page, check, access) => !check.user && page.u && access === 'executable',
	],
	[
		'When MXR=0, only loads from pages marked readable will succeed',
		(page, check, access) => access === 'readable' && !check.mxr && !check.hlvx && !page.r,
	],
	[
		'When MXR=1, loads from pages marked either readable or executable will succeed',
		(page, check, access) => access === 'readable' && check.mxr && !check.hlvx && !(page.r || page.x),
	],
	[
		'HLVX: execute permission takes the place of read permission',
		(page, check, access) => access === 'readable' && check.hlvx && !page.x,
	],
	['W indicates whether the page is writable', (page, _check, access) => access === 'writable' && !page.w],
	['X indicates whether the page is executable', (page, _check, access) => access === 'executable' && !page.x],
];

type Page = { r: boolean; w: boolean; x: boolean; u: boolean };
type Check = { user: boolean; sum: boolean; mxr: boolean; hlvx: boolean };

const BOOLEANS = [false, true];

test('every page and every check, against the rules one by one', () => {
	let cases = 0;
	for (let bits = 0; bits < 256; bits++) {
		const on = (bit: number) => BOOLEANS[(bits >> bit) & 1];
		const page = { r: on(0), w: on(1), x: on(2), u: on(3) };
		const check = { user: on(4), sum: on(5), mxr: on(6), hlvx: on(7) };
		const pte = 1n | (BigInt(bits & 15) << 1n);
		const rights = leafRights(pte, check);
		for (const access of ['readable', 'writable', 'executable'] as const) {
			const denied = RULES.filter(([, denies]) => denies(page, check, access)).map(([text]) => text);
			expect({ page, check, access, allowed: rights[access] }).toEqual({
				page,
				check,
				access,
				allowed: denied.length === 0,
			});
			cases += 1;
		}
	}
	expect(cases).toBe(768);
});
