// Several virtual CPUs of one VM on the hart: started, stopped, woken by each other; what one translates is not the other's.
import { u54h } from '@partita/kernel-costs';
import { Machine } from '@partita/machine';
import { type EntityParameters, FixedPriority } from '@partita/sched';
import { expect, test } from 'vitest';
import { type HypervisorFactory, hypervisor, type VmConfig } from '../src/index.ts';
import { assemblyVm, runUntil } from './support/guests.ts';

const MS = 1_000_000;
const OFF = 'li a7, 8\necall\n';
const FAIL = 'li a7, 0x53525354\nli a6, 0\nli a0, 0\nli a1, 1\necall\n';
/** sbi_hart_start(a0, a1, a2), sbi_hart_stop, sbi_hart_get_status(a0), sbi_send_ipi(a0, a1). */
const HSM = 'li a7, 0x48534d\n';
const START = `${HSM}li a6, 0\necall\n`;
const STOP = `${HSM}li a6, 1\necall\n`;
const STATUS = `${HSM}li a6, 2\necall\n`;
const SUSPEND = `${HSM}li a6, 3\nli a0, 0\necall\n`;
const IPI = 'li a7, 0x735049\nli a6, 0\necall\n';

function make(
	source: string,
	more: Partial<VmConfig<EntityParameters>> = {},
	whenAllEnded: 'stop' | 'stay' = 'stop',
): { machine: Machine; factory: HypervisorFactory<EntityParameters> } {
	const { config } = assemblyVm('smp', source, { priority: 1, slice: 20_000 }, { vcpus: 2, ...more });
	const factory = hypervisor({
		vms: [config],
		policy: new FixedPriority(),
		costs: u54h,
		regions: [{ name: 'buffer', size: 8192 }],
		whenAllEnded,
	});
	return { factory, machine: new Machine({ memory: 16 << 20, kernel: factory, traceHash: true }) };
}

/** Hart 1 counts IPIs, which it waits for asleep; hart 0 sends three, and looks at it as it starts, sleeps and stops. */
const talk = `
	la s0, word
	li a0, 1
	${STATUS}
	li t0, 1
	bne a1, t0, fail            # stopped
	li a0, 1
	la a1, second
	li a2, 77
	${START}
	bnez a0, fail
	li a0, 1
	la a1, second
	${START}
	li t0, -6
	bne a0, t0, fail            # already available
	li s2, 1
again:
	# Until it sleeps.
1:	rdtime t0
	addi t0, t0, 500
	csrw stimecmp, t0
	li t0, 0x20
	csrw sie, t0
	wfi
	li a0, 1
	${STATUS}
	li t0, 4
	bne a1, t0, 1b
	li a0, 2
	li a1, 0
	${IPI}
2:	ld t0, 0(s0)
	bne t0, s2, 2b
	addi s2, s2, 1
	li t0, 4
	bne s2, t0, again
	# It stops itself.
3:	li a0, 1
	${STATUS}
	li t0, 1
	bne a1, t0, 3b
	${OFF}
fail:
	${FAIL}
second:
	li t0, 1
	bne a0, t0, fail
	li t0, 77
	bne a1, t0, fail
	la s0, word
	li s3, 3
	li t0, 2
	csrw sie, t0
4:	${SUSPEND}
	csrr t0, sip
	andi t0, t0, 2
	beqz t0, fail
	csrci sip, 2
	ld t0, 0(s0)
	addi t0, t0, 1
	sd t0, 0(s0)
	addi s3, s3, -1
	bnez s3, 4b
	${STOP}
	j fail
	.balign 8
word: .dword 0`;

test('start, sleep, interrupt and stop each other', () => {
	const { machine, factory } = make(talk);
	expect(runUntil(machine, 20 * MS)).toEqual({ reason: 'ended', ending: { reason: 'power-off', code: 0 } });
	const [vm] = factory.kernel!.statistics.vms;
	expect(vm!.vcpus).toHaveLength(2);
	for (const { dispatches } of vm!.vcpus) expect(dispatches).toBeGreaterThan(3);
});

test('a snapshot in the middle of it goes on', () => {
	const straight = make(talk);
	straight.machine.run(100_000);
	const resumed = make(talk);
	resumed.machine.restore(structuredClone(straight.machine.save()));
	for (const { machine } of [straight, resumed]) expect(runUntil(machine, 20 * MS).reason).toBe('ended');
	expect(resumed.machine.traceHash).toBe(straight.machine.traceHash);
});

test('with one address space identifier, each sees its own translations', () => {
	// Both map address 0 by a page of 1 GiB, hart 0 to its memory, hart 1 to the shared region, and never fence.
	const source = `
		li a0, 1
		la a1, second
		${START}
		la s0, memory
		li t0, 11
		sd t0, 0(s0)
		la t0, table0
		li s1, 0x80000000
		sub s0, s0, s1
		li s2, 11
		j both
	second:
		li s0, 0x40000000
		li t0, 22
		sd t0, 0(s0)
		li s0, 0
		la t0, table1
		li s2, 22
	both:
		srli t0, t0, 12
		li t1, 8 << 60
		or t0, t0, t1
		csrw satp, t0
		li s4, 200000
	1:	ld t0, 0(s0)
		bne t0, s2, fail
		addi s4, s4, -1
		bnez s4, 1b
		la s0, done
		li t0, 1
		amoadd.w t0, t0, (s0)
		beqz t0, .
		${OFF}
	fail:
		${FAIL}
		.balign 4096
	table0: .dword 0x200000cf, 0, 0x200000cf
		.balign 4096
	table1: .dword 0x100000c7, 0, 0x200000cf
		.balign 4096
	memory: .dword 0
	done: .dword 0`;
	const { machine, factory } = make(source, { share: [{ region: 'buffer', base: 0x4000_0000 }] });
	expect(runUntil(machine, 20 * MS)).toMatchObject({ reason: 'ended', ending: { code: 0 } });
	for (const { preemptions } of factory.kernel!.statistics.vms[0]!.vcpus) expect(preemptions).toBeGreaterThan(10);
});

test('whoever resets, all start anew: one runs, the other is stopped', () => {
	const source = `
		bnez a0, second
		la t0, ready
	1:	ld t1, 0(t0)
		bnez t1, off
		li a0, 1
		la a1, second
		${START}
	2:	j 2b
	off:
		${OFF}
	second:
		li a7, 0x53525354
		li a6, 0
		li a0, 1
		li a1, 0
		ecall
		.balign 8
	ready: .dword 0`;
	const { machine, factory } = make(source, {}, 'stay');
	runUntil(machine, 3 * MS);
	const [vm] = factory.kernel!.statistics.vms;
	expect(vm!.restarts).toBeGreaterThan(3);
	expect(vm!.ending).toBeUndefined();
	factory.kernel!.destroy('smp');
	expect(runUntil(machine, 10 * MS).reason).toBe('idle');
	expect(factory.kernel!.statistics.vms).toEqual([]);
	expect(factory.kernel!.state.guests).toEqual([]);
});

test('the trace tells virtual CPUs apart', () => {
	const names = new Set<string | undefined>();
	const { config } = assemblyVm('smp', talk, { priority: 1 }, { vcpus: 2 });
	const factory = hypervisor({
		vms: [config],
		policy: new FixedPriority(),
		costs: u54h,
		trace: { running: (_hart, entity) => names.add(entity) },
	});
	runUntil(new Machine({ memory: 16 << 20, kernel: factory }), 5 * MS);
	expect(names).toEqual(new Set(['smp/0', 'smp/1', undefined]));
});
