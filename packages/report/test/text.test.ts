// What people read: aligned text, marks, names that guests chose.
import { expect, test } from 'vitest';
import {
	ANSI,
	compareRuns,
	formatBytes,
	formatCount,
	formatNanos,
	formatShare,
	recordJson,
	renderComparison,
	renderRun,
} from '../src/index.ts';
import { hypervisorRun, microkernelRun } from './records.ts';

test('two runs side by side', () => {
	expect(renderComparison(compareRuns([hypervisorRun, microkernelRun]))).toMatchInlineSnapshot(`
		"example: 10 ms of virtual time
		  hypervisor: policy fixed-priority, kernel costs u54h, trace 00112233445566778899aabbccddeeff
		  microkernel: policy fixed-priority, kernel costs u54h, trace ffeeddccbbaa99887766554433221100

		Deadlines and response times
		  cell     task        composition           jobs  missed ~     min ~  median ~  99.9 % ~   max ~
		  control  control     hypervisor               9         2  200.1 µs    210 µs    1.2 ms  1.2 ms
		                       microkernel             10         0  200.1 µs    210 µs    1.2 ms  1.2 ms
		  control  background  hypervisor   12,345 rounds

		Processor time
		  cell      composition  exists as            CPU   share  dispatches  preemptions  state
		  control   hypervisor   virtual machine   2.5 ms  25.0 %          12            3  waiting
		            microkernel  native              9 ms  90.0 %          20            9  background: VMFault\\u{1b}[2J at 0x0
		  pair      hypervisor   absent
		            microkernel  native              0 ns   0.0 %           0            0
		  kernel ~  hypervisor                     120 µs   1.2 %
		            microkernel                    120 µs   1.2 %
		  idle ~    hypervisor                    7.38 ms  73.8 %
		            microkernel                   7.38 ms  73.8 %

		Kernel
		                         hypervisor  microkernel
		  entries                        40           40
		  entries for the timer          20           20
		  context switches               24           24
		  exits: wait                     9            -
		  IPC: calls                      -            7
		  IPC: replies                    -            7
		  time ~                     120 µs       120 µs
		  time for each entry ~        3 µs         3 µs

		Footprint
		  memory   hypervisor  touched  microkernel  touched
		  control       2 MiB   12 KiB        2 MiB   12 KiB
		  pair              -        -          0 B      0 B

		Trusted computing base
		  cell     composition  must trust  linked
		  control  hypervisor   kernel      10 KiB
		           microkernel  kernel      10 KiB
		  pair     microkernel  kernel      10 KiB

		Linked code
		  composition  group   runs as     package                 linked
		  hypervisor   kernel  privileged  all                     10 KiB
		                                   @partita/hypervisor  8.789 KiB
		                                   @partita/sched       1.211 KiB
		  microkernel  kernel  privileged  all                     10 KiB
		                                   @partita/hypervisor  8.789 KiB
		                                   @partita/sched       1.211 KiB

		~  depends on modelled costs of kernel operations; all other figures are counted.
		   u54h: published
		   Linked code is minified; the machine is hardware and in nobody's base.
		"
	`);
});

test('each column begins and ends at one place', () => {
	const lines = renderRun(hypervisorRun).split('\n');
	const table = lines.slice(lines.indexOf('Footprint') + 1);
	const ends = table.slice(0, 3).map((line) => line.length);
	expect(new Set(ends).size).toBe(1);
});

test('a plain text controls no terminal, whatever guests are called', () => {
	const text = renderComparison(compareRuns([hypervisorRun, microkernelRun]));
	expect(text).toMatch(/background: VMFault\\u\{1b\}\[2J/);
	// biome-ignore lint/suspicious/noControlCharactersInRegex: that is what must not be there
	expect(text).not.toMatch(/[\x00-\x09\x0b-\x1f\x7f]/);
});

test('styles change nothing but styles', () => {
	const plain = renderRun(hypervisorRun);
	const styled = renderRun(hypervisorRun, ANSI);
	expect(styled).not.toBe(plain);
	// biome-ignore lint/suspicious/noControlCharactersInRegex: ANSI styles begin with one
	expect(styled.replace(/\x1b\[\d+m/g, '')).toBe(plain);
});

test('JSON is the record, and the same bytes each time', () => {
	const comparison = compareRuns([hypervisorRun, microkernelRun]);
	expect(JSON.parse(recordJson(comparison))).toEqual(JSON.parse(JSON.stringify(comparison)));
	expect(recordJson(structuredClone(comparison))).toBe(recordJson(comparison));
});

test('runs of different systems are not compared', () => {
	expect(() => compareRuns([hypervisorRun, { ...microkernelRun, system: 'other' }])).toThrow(/example and of other/);
	expect(() => compareRuns([])).toThrow(RangeError);
});

test('numbers', () => {
	expect([0, 999, 1000, 1_234_567].map(formatCount)).toEqual(['0', '999', '1,000', '1,234,567']);
	expect([0, 999, 1000, 201_300, 5_000_000, 12_345_678_900].map(formatNanos)).toEqual([
		'0 ns',
		'999 ns',
		'1 µs',
		'201.3 µs',
		'5 ms',
		'12.35 s',
	]);
	expect([0, 1023, 12_800, 2 ** 26].map(formatBytes)).toEqual(['0 B', '1023 B', '12.5 KiB', '64 MiB']);
	expect(formatShare(1, 3)).toBe('33.3 %');
	expect(formatShare(1, 0)).toBe('-');
});
