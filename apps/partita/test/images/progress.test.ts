import { expect, test } from 'vitest';
import { createProgress, megabytes, type ProgressOutput } from '../../src/images/progress.ts';

function output(isTTY: boolean, columns = 80): ProgressOutput & { written: string[] } {
	const written: string[] = [];
	return { isTTY, columns, written, write: (text) => written.push(text) };
}

test('plain lines: one per step and per file, none per percent', () => {
	const out = output(false);
	const progress = createProgress(out);
	progress.step('Reading');
	for (let done = 0; done <= 112e6; done += 1e6) progress.bytes('Fetching kernel', done, 112e6);
	progress.bytes('Fetching opensbi', 0, 204072);
	progress.end();
	expect(out.written.join('')).toBe('Reading\nFetching kernel (112.0 MB)\nFetching opensbi (0.2 MB)\n');
});

test('a terminal: one line, redrawn when it changes, erased at the end', () => {
	const out = output(true);
	const progress = createProgress(out);
	progress.bytes('Fetching', 0, 1e6);
	progress.bytes('Fetching', 1, 1e6);
	progress.bytes('Fetching', 500_000, 1e6);
	progress.step('Unpacking');
	progress.end();
	progress.end();
	expect(out.written).toEqual([
		'\r\x1b[KFetching    0% of 1.0 MB',
		'\r\x1b[KFetching   50% of 1.0 MB',
		'\r\x1b[K',
		'\r\x1b[KUnpacking',
		'\r\x1b[K',
	]);
});

test('a line never wraps, and no share exceeds 100%', () => {
	const out = output(true, 30);
	const progress = createProgress(out);
	progress.bytes('Fetching linux-image-6.12.107+deb13-riscv64', 10, 20);
	expect(out.written[0]?.length).toBe('\r\x1b[K'.length + 29);
	progress.bytes('x', 30, 20);
	expect(out.written.at(-1)).toContain('100%');
	const unknownWidth = output(true, 0);
	createProgress(unknownWidth).step('x'.repeat(100));
	expect(unknownWidth.written[0]).toBe(`\r\x1b[K${'x'.repeat(79)}`);
	progress.bytes('y', 0, 0);
	expect(out.written.at(-1)).toContain('100%');
});

test('megabytes', () => {
	expect(megabytes(112_012_420)).toBe('112.0 MB');
});
