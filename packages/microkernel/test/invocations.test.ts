// System calls and invocations as a root task sees them. Expectations are those of the seL4 reference manual and
// object-api.xml: seL4_Error 1 InvalidArgument, 2 InvalidCapability, 3 IllegalOperation, 4 RangeError, 5 AlignmentError,
// 6 FailedLookup, 7 TruncatedMessage, 8 DeleteFirst, 9 RevokeFirst, 10 NotEnoughMemory.
import { describe, expect, test } from 'vitest';
import { invoke, Script, type Step } from './script.ts';

/** Slots of the root task. */
const TCB = 1;
const CNODE = 2;
const VSPACE = 3;
const IRQ_CONTROL = 4;
const ASID_CONTROL = 5;
const ASID_POOL = 6;
const FREE = 4000;
const ALL = 15;

const type = {
	untyped: 0,
	tcb: 1,
	endpoint: 2,
	notification: 3,
	cnode: 4,
	sched: 5,
	reply: 6,
	page: 8,
	mega: 9,
	table: 10,
};

const retype = (untyped: number, kind: number, slot: number, count = 1, bits = 0): Step =>
	invoke(untyped, 'UntypedRetype', [kind, bits, 0, 0, slot, count], [CNODE]);
const copy = (to: number, from: number, rights = ALL): Step =>
	invoke(CNODE, 'CNodeCopy', [to, 64, from, 64, rights], [CNODE]);
const mint = (to: number, from: number, badge: number, rights = ALL): Step =>
	invoke(CNODE, 'CNodeMint', [to, 64, from, 64, rights, badge], [CNODE]);
const remove = (slot: number): Step => invoke(CNODE, 'CNodeDelete', [slot, 64]);
const revoke = (slot: number): Step => invoke(CNODE, 'CNodeRevoke', [slot, 64]);

/** Labels of the answers to steps that the root task does in order. */
function labels(make: (untyped: (bits: number) => number) => readonly Step[]): number[] {
	let count = 0;
	const script = new Script(({ untyped }) => {
		const steps = make(untyped);
		count = steps.length;
		return [[...steps, 'halt']];
	}).run();
	return Array.from({ length: count }, (_, index) => script.result(index).label);
}

describe('untyped memory', () => {
	test('objects, and why there are none', () => {
		expect(
			labels((untyped) => [
				retype(untyped(20), type.endpoint, FREE, 3),
				retype(untyped(20), type.endpoint, FREE + 2, 1),
				retype(untyped(20), 99, FREE + 10),
				retype(untyped(20), type.endpoint, 8192),
				retype(untyped(20), type.endpoint, FREE + 10, 300),
				retype(untyped(20), type.untyped, FREE + 10, 1, 30),
				{ ...retype(untyped(20), type.tcb, FREE + 10), capabilities: [] },
				retype(untyped(20), type.sched, FREE + 10, 1, 3),
			]),
		).toEqual([0, 8, 1, 4, 4, 10, 7, 1]);
	});

	test('revoking gives all of it back', () => {
		expect(
			labels((untyped) => [
				retype(untyped(20), type.untyped, FREE, 1, 12),
				retype(FREE, type.page, FREE + 1),
				retype(FREE, type.page, FREE + 2),
				revoke(FREE),
				retype(FREE, type.page, FREE + 2),
				copy(FREE + 3, FREE + 1),
			]),
		).toEqual([0, 0, 10, 0, 0, 6]);
	});
});

describe('CNodes', () => {
	test('copies, badges, rights', () => {
		expect(
			labels((untyped) => [
				retype(untyped(20), type.endpoint, FREE),
				mint(FREE + 1, FREE, 7),
				mint(FREE + 2, FREE + 1, 8),
				copy(FREE + 1, FREE),
				copy(FREE + 3, 7777),
				invoke(CNODE, 'CNodeMove', [FREE + 3, 64, FREE + 1, 64], [CNODE]),
				invoke(CNODE, 'CNodeMutate', [FREE + 4, 64, FREE + 3, 64, 9], [CNODE]),
				invoke(CNODE, 'CNodeCopy', [FREE + 5, 0, FREE, 64, ALL], [CNODE]),
				invoke(CNODE, 'CNodeCancelBadgedSends', [FREE + 3, 64]),
				invoke(CNODE, 'CNodeCancelBadgedSends', [CNODE, 64]),
				remove(FREE),
				remove(FREE),
			]),
		).toEqual([0, 0, 3, 8, 6, 0, 3, 4, 0, 3, 0, 0]);
	});

	test('rotation changes three places', () => {
		const identify = (slot: number): Step => ({ call: 'DebugCapIdentify', a0: slot });
		const script = new Script(({ untyped }) => [
			[
				retype(untyped(20), type.tcb, FREE),
				retype(untyped(20), type.page, FREE + 1),
				invoke(CNODE, 'CNodeRotate', [FREE + 2, 64, 0, FREE, 64, 0, FREE + 1, 64], [CNODE, CNODE]),
				...[FREE, FREE + 1, FREE + 2].map(identify),
				'halt',
			],
		]).run();
		expect(script.result(2).label).toBe(0);
		// A frame is 1, a TCB 12.
		expect([3, 4, 5].map((step) => script.result(step).badge)).toEqual([1n, 0n, 12n]);
	});
});

describe('notifications', () => {
	test('badges are combined, and taken once', () => {
		const script = new Script(({ untyped }) => [
			[
				retype(untyped(20), type.notification, FREE),
				mint(FREE + 1, FREE, 5),
				mint(FREE + 2, FREE, 8),
				{ call: 'Send', a0: FREE + 1 },
				{ call: 'NBSend', a0: FREE + 2 },
				{ call: 'NBWait', a0: FREE },
				{ call: 'NBWait', a0: FREE },
				'halt',
			],
		]).run();
		expect([script.result(5).badge, script.result(6).badge]).toEqual([13n, 0n]);
	});
});

describe('threads', () => {
	const [tcb, sc, endpoint, reply, schedControl] = [FREE, FREE + 1, FREE + 2, FREE + 3, 0];

	/** Steps that make a thread with a context, which runs `table` when it is resumed; its faults go to the endpoint. */
	const made = (untyped: number, control: number, loop: number, scratch: number, table: number): Step[] => [
		retype(untyped, type.tcb, tcb),
		retype(untyped, type.sched, sc, 1, 8),
		retype(untyped, type.endpoint, endpoint),
		retype(untyped, type.reply, reply),
		invoke(tcb, 'TCBConfigure', [0, 0, 0], [CNODE, VSPACE, 0]),
		invoke(control, 'SchedControlConfigureFlags', [5000, 5000, 0, 77, 0], [sc]),
		invoke(tcb, 'TCBSetSchedParams', [200, 100], [TCB, sc, endpoint]),
		invoke(tcb, 'TCBWriteRegisters', [1, 6, loop, 0, 0, 0, scratch, table]),
	];

	/** Slot of SchedControl: behind the page tables. */
	const control = 16 + 2 + schedControl;

	test('one calls the other, with a badge and words, and gets an answer', () => {
		const script = new Script(({ untyped, loop, scratch, tables }) => [
			[
				...made(untyped(20), control, loop, scratch, tables[1]!),
				mint(FREE + 9, endpoint, 42),
				{ call: 'Recv', a0: endpoint, a6: reply },
				{ call: 'Send', a0: reply, label: 3, words: [10, 20, 30] },
				{ call: 'Recv', a0: endpoint, a6: reply },
				'halt',
			],
			[{ call: 'Call', a0: FREE + 9, label: 9, words: [1, 2, 3, 4] }, { call: 'Call', a0: FREE + 9 }, 'stop'],
		]).run();
		expect(Array.from({ length: 9 }, (_, step) => script.result(step).label)).toEqual(new Array(9).fill(0));
		expect(script.result(9)).toMatchObject({ badge: 42n, label: 9, length: 4 });
		expect(script.result(9).words.slice(0, 4)).toEqual([1n, 2n, 3n, 4n]);
		expect(script.result(0, 1)).toMatchObject({ badge: 0n, label: 3, length: 3 });
		expect(script.result(0, 1).words.slice(0, 3)).toEqual([10n, 20n, 30n]);
	});

	test('a fault goes to its handler, whose answer lets it go on', () => {
		const script = new Script(({ untyped, loop, scratch, tables }) => [
			[
				...made(untyped(20), control, loop, scratch, tables[1]!),
				{ call: 'Recv', a0: endpoint, a6: reply },
				invoke(tcb, 'TCBReadRegisters', [0, 6]),
				invoke(tcb, 'TCBSuspend'),
				'halt',
			],
			['stop'],
		]).run();
		const fault = script.result(8);
		// VMFault: pc, address, whether it was a fetch, and the cause of a load.
		expect(fault).toMatchObject({ label: 6, length: 4, badge: 0n });
		expect(fault.words.slice(1, 4)).toEqual([8n, 0n, 5n]);
		const registers = script.result(9);
		expect(registers).toMatchObject({ label: 0, length: 6 });
		expect(registers.words[0]).toBe(fault.words[0]);
	});

	test('capabilities go along with Grant, and their pointers must lead somewhere', () => {
		const script = new Script(({ untyped, loop, scratch, tables }) => [
			[
				...made(untyped(20), control, loop, scratch, tables[1]!),
				mint(FREE + 9, endpoint, 1, 1),
				{ call: 'Recv', a0: endpoint, a6: reply },
				'halt',
			],
			[{ call: 'Send', a0: FREE + 9, capabilities: [] }, 'stop'],
		]).run();
		expect(script.result(9)).toMatchObject({ badge: 1n, extraCaps: 0, unwrapped: 0 });
	});

	test('what is refused', () => {
		expect(
			labels((untyped) => [
				retype(untyped(20), type.tcb, tcb),
				retype(untyped(20), type.sched, sc, 1, 8),
				retype(untyped(20), type.notification, FREE + 5),
				invoke(TCB, 'TCBReadRegisters', [0, 32]),
				invoke(tcb, 'TCBReadRegisters', [0, 33]),
				invoke(tcb, 'TCBWriteRegisters', [0, 32, 1]),
				invoke(tcb, 'TCBConfigure', [0, 0, 0], [VSPACE, VSPACE, 0]),
				invoke(tcb, 'TCBConfigure', [0, 0, 0x1001], [CNODE, VSPACE, 10]),
				invoke(tcb, 'TCBSetPriority', [256], [TCB]),
				invoke(tcb, 'TCBSetPriority', [1], [CNODE]),
				invoke(tcb, 'TCBSetFlags', [0, 2]),
				invoke(tcb, 'TCBBindNotification', [], [FREE + 5]),
				invoke(tcb, 'TCBBindNotification', [], [FREE + 5]),
				invoke(tcb, 'TCBUnbindNotification'),
				invoke(tcb, 'TCBUnbindNotification'),
				invoke(sc, 'SchedContextBind', [], [CNODE]),
				invoke(sc, 'SchedContextBind', [], [tcb]),
				invoke(sc, 'SchedContextBind', [], [tcb]),
				invoke(sc, 'SchedContextUnbindObject', [], [TCB]),
				invoke(sc, 'SchedContextUnbind'),
				invoke(sc, 'SchedContextYieldTo'),
				invoke(control, 'SchedControlConfigureFlags', [19, 5000, 0, 0, 0], [sc]),
				invoke(control, 'SchedControlConfigureFlags', [5001, 5000, 0, 0, 0], [sc]),
				invoke(control, 'SchedControlConfigureFlags', [5000, 5000, 9, 0, 0], [sc]),
				invoke(control, 'SchedControlConfigureFlags', [5000, 5000, 8, 0, 0], [sc]),
				invoke(tcb, 'CNodeCopy', [1, 64]),
				invoke(7777, 'TCBResume'),
			]),
		).toEqual([0, 0, 0, 3, 4, 7, 3, 5, 4, 2, 1, 0, 3, 0, 3, 2, 0, 3, 3, 0, 3, 4, 4, 4, 0, 3, 2]);
	});
});

describe('address spaces', () => {
	const [page, table, second, space] = [FREE, FREE + 1, FREE + 2, FREE + 3];
	const map = (slot: number, vaddr: number, root = VSPACE): Step =>
		invoke(slot, 'RISCVPageMap', [vaddr, ALL, 0], [root]);
	const mapTable = (slot: number, vaddr: number): Step => invoke(slot, 'RISCVPageTableMap', [vaddr, 0], [VSPACE]);

	test('frames need tables, and have one place', () => {
		const script = new Script(({ untyped }) => [
			[
				retype(untyped(20), type.page, page),
				retype(untyped(20), type.table, table, 2),
				map(page, 0x4000_0000),
				mapTable(table, 0x4000_0000),
				map(page, 0x4000_0000),
				mapTable(second, 0x4000_0000),
				map(page, 0x4000_0800),
				map(page, 0x4000_0000),
				map(page, 0x4000_0000),
				map(page, 0x4000_1000),
				map(page, 0x3f_ffff_f000),
				map(page, 0x4000_0000, page),
				mapTable(second, 0x5000_0000),
				invoke(page, 'RISCVPageGetAddress'),
				invoke(page, 'RISCVPageUnmap'),
				map(page, 0x4000_1000),
				'halt',
			],
		]).run();
		const found = Array.from({ length: 16 }, (_, step) => script.result(step).label);
		expect(found).toEqual([0, 0, 6, 0, 6, 0, 5, 0, 0, 1, 1, 2, 2, 0, 0, 0]);
		// The bits of the address that are not translated yet: user libraries map a table for them.
		expect([script.result(2).words[2], script.result(4).words[2]]).toEqual([30n, 21n]);
		expect(script.result(13).words[0]! % 4096n).toBe(0n);
	});

	test('ASIDs', () => {
		expect(
			labels((untyped) => [
				retype(untyped(20), type.table, space),
				map(FREE, 0x1000, space),
				invoke(ASID_POOL, 'RISCVASIDPoolAssign', [], [space]),
				invoke(ASID_POOL, 'RISCVASIDPoolAssign', [], [space]),
				invoke(ASID_POOL, 'RISCVASIDPoolAssign', [], [CNODE]),
				retype(untyped(20), type.untyped, FREE + 5, 1, 12),
				invoke(ASID_CONTROL, 'RISCVASIDControlMakePool', [FREE + 6, 64], [CNODE, CNODE]),
				invoke(ASID_CONTROL, 'RISCVASIDControlMakePool', [FREE + 6, 64], [FREE + 5, CNODE]),
				invoke(ASID_CONTROL, 'RISCVASIDControlMakePool', [FREE + 7, 64], [FREE + 5, CNODE]),
				// The pool has used up its memory, until it is gone.
				retype(FREE + 5, type.endpoint, FREE + 9),
				retype(untyped(20), type.table, FREE + 8),
				invoke(FREE + 6, 'RISCVASIDPoolAssign', [], [FREE + 8]),
				remove(FREE + 6),
				retype(FREE + 5, type.endpoint, FREE + 9),
			]),
		).toEqual([0, 2, 0, 2, 2, 0, 2, 0, 9, 10, 0, 0, 0, 0]);
	});
});

describe('interrupts', () => {
	test('one handler each', () => {
		const get = (irq: number, slot: number): Step =>
			invoke(IRQ_CONTROL, 'IRQIssueIRQHandler', [irq, slot, 64], [CNODE]);
		expect(
			labels((untyped) => [
				get(10, FREE),
				get(10, FREE + 1),
				get(0, FREE + 1),
				get(96, FREE + 1),
				get(11, FREE),
				retype(untyped(20), type.notification, FREE + 2),
				invoke(FREE, 'IRQSetIRQHandler', [], [CNODE]),
				invoke(FREE, 'IRQSetIRQHandler', [], [FREE + 2]),
				invoke(FREE, 'IRQAckIRQ'),
				invoke(FREE, 'IRQClearIRQHandler'),
				remove(FREE),
				get(10, FREE),
			]),
		).toEqual([0, 9, 4, 4, 8, 0, 2, 0, 0, 0, 0, 0]);
	});
});

describe('faults that nobody handles stop a thread', () => {
	const stopped = (step: Step | 'stop'): string | undefined => {
		const { kernel } = new Script(() => [[step, 'halt']]).run();
		const found = kernel.statistics.threads.find(({ name }) => name === 'rootserver');
		return found?.status === 'inactive' ? found.fault : undefined;
	};

	test('each kind', () => {
		expect(stopped({ call: 'Recv', a0: 7777 })).toBe('CapFault');
		expect(stopped({ call: 'Wait', a0: CNODE })).toBe('CapFault');
		expect(stopped({ call: 'DebugDumpScheduler', a0: 0 })).toBe(undefined);
		expect(stopped('stop')).toBe('VMFault');
	});
});
