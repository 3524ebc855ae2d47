// Forged system calls, capability pointers, message infos and IPC buffers: whatever a program says, the kernel does not
// throw, and what it knows stays consistent.

import { checkState as checkCapabilities, SEL4_MCS_RISCV64 } from '@partita/capability';
import { checkState as checkIpc } from '@partita/ipc';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { SEL4_MCS_16, type SystemCallName } from '../src/index.ts';
import { Script, type Step } from './script.ts';

/** Calls after which the program may go on; one that waits for good ends a run. */
const CALLS: readonly SystemCallName[] = [
	'Call',
	'Call',
	'Call',
	'Call',
	'Send',
	'NBSend',
	'NBRecv',
	'NBWait',
	'Yield',
	'ReplyRecv',
	'DebugCapIdentify',
];
const LABELS = Object.values(SEL4_MCS_16.invocations);

const pointer = fc.oneof(
	{ weight: 6, arbitrary: fc.integer({ min: 0, max: 60 }) },
	{ weight: 4, arbitrary: fc.integer({ min: 4000, max: 4020 }) },
	{ weight: 1, arbitrary: fc.integer({ min: 0, max: 8191 }) },
);
const word = fc.oneof(
	{ weight: 4, arbitrary: pointer.map(BigInt) },
	{ weight: 3, arbitrary: fc.constantFrom(0n, 1n, 2n, 4n, 12n, 13n, 64n, 0x4000_0000n, 0x8000_0000n, 5000n) },
	{ weight: 1, arbitrary: fc.bigInt({ min: 0n, max: (1n << 64n) - 1n }) },
);
const step: fc.Arbitrary<Step> = fc.record({
	call: fc.constantFrom(...CALLS),
	a0: pointer,
	a6: pointer,
	t0: pointer,
	label: fc.oneof(
		{ weight: 9, arbitrary: fc.constantFrom(...LABELS) },
		{ weight: 1, arbitrary: fc.integer({ min: 0, max: 2 ** 40 }) },
	),
	words: fc.array(word, { maxLength: 8 }),
	capabilities: fc.array(pointer, { maxLength: 3 }),
});

test('no sequence of system calls breaks the kernel', () => {
	fc.assert(
		fc.property(fc.array(step, { minLength: 20, maxLength: 60 }), (steps) => {
			const script = new Script(() => [[...steps, 'halt']]).run(100_000);
			const { capabilities, ipc } = script.kernel.state;
			expect(checkCapabilities(capabilities, SEL4_MCS_RISCV64)).toEqual([]);
			expect(checkIpc(ipc)).toEqual([]);
		}),
		{ numRuns: Number(process.env.PARTITA_RUNS ?? 30), seed: 1 },
	);
});
