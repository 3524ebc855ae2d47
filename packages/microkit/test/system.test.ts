// Systems of programs of our own, in assembly against libmicrokit's run-time interface, on the kernel.
import { u54 } from '@partita/kernel-costs';
import { Machine } from '@partita/machine';
import { MICROKIT_2_3, microkernel } from '@partita/microkernel';
import { FixedPriority, SEL4_MINIMUM_BUDGET } from '@partita/sched';
import { describe, expect, test } from 'vitest';
import { MicrokitError, microkitSystem, readSystem } from '../src/index.ts';
import { filesOf, print, program, RECEIVE, variable } from './support.ts';

interface Run {
	readonly machine: Machine;
	readonly kernel: ReturnType<typeof microkernel>['kernel'];
	text(): string;
}

/** Boots a system; runs it if `instructions` are given. */
function boot(
	source: string,
	files: Readonly<Record<string, Uint8Array>>,
	instructions = 2_000_000,
	memory = 64 << 20,
): Run {
	let text = '';
	const find = filesOf(files);
	const factory = microkernel({
		boot: microkitSystem(readSystem('test.system', source, find), {
			files: find,
			deviceTree: Uint8Array.of(0xd0, 0x0d),
		}),
		profile: MICROKIT_2_3,
		policy: new FixedPriority({ minimumBudget: SEL4_MINIMUM_BUDGET }),
		costs: u54,
	});
	const machine = new Machine({
		memory,
		kernel: factory,
		console: (byte) => {
			text += String.fromCharCode(byte);
		},
	});
	machine.run(instructions);
	return { machine, kernel: factory.kernel, text: () => text };
}

const STARTED = 'MON|INFO: Microkit Monitor started!\n';
const domain = (name: string, attributes: string, inner = ''): string =>
	`<protection_domain name="${name}" ${attributes}><program_image path="${name}.elf"/>${inner}</protection_domain>`;

test('programs start in the order of their priorities, equals in that of their names', () => {
	const says = (text: string): Uint8Array => program(`${print(text)}\n${RECEIVE}\n	j .`);
	const system = boot(
		`<system>${domain('c', 'priority="1"')}${domain('b', 'priority="1"')}${domain('a', 'priority="9"')}</system>`,
		{ 'a.elf': says('a'), 'b.elf': says('b'), 'c.elf': says('c') },
	);
	expect(system.text()).toBe(`${STARTED}abc`);
});

test('a passive server runs on the time of its caller', () => {
	const server = program(`
${print('init ')}
	# Tells the monitor, and waits for calls.
	li t0, 5
	li a1, 0
	li a0, 1
	li a6, 4
	li a7, -3
	ecall
serve:
	mv s1, a2
	srli s0, a0, 60
${print('served ')}
	addi a2, s1, 1
	li a1, 1
	li a0, 1
	li a6, 4
	li a7, -2
	ecall
	j serve`);
	const client = program(`
	li a0, 76
	li a1, 1
	li a2, 64
	li a7, -1
	ecall
	mv a0, a2
	li a7, -12
	ecall
	li a0, 76
	li a1, 1
	li a2, 65
	li a7, -1
	ecall
	mv a0, a2
	li a7, -12
	ecall
${RECEIVE}`);
	const system = boot(
		`<system>${domain('server', 'priority="2" passive="true"')}${domain('client', 'priority="1"')}
		<channel><end pd="client" id="2" pp="true"/><end pd="server" id="0"/></channel></system>`,
		{ 'server.elf': server, 'client.elf': client },
	);
	expect(system.text()).toBe(`${STARTED}init MON|INFO: PD 'server' is now passive!\nserved Aserved B`);
	const threads = new Map(system.kernel.statistics.threads.map((thread) => [thread.name, thread]));
	expect(threads.get('server')!.status).toBe('blocked');
});

test('a parent restarts a child that crashes, and then stops it', () => {
	const child = program(`${print('crash ')}\n	sd zero, 0(zero)`);
	const parent = program(`
	li s2, 0
wait:
${RECEIVE}
	srli t1, a0, 62
	andi t1, t1, 1
	beqz t1, wait
	andi s1, a0, 63
	addi s2, s2, 1
	li t1, 3
	beq s2, t1, give_up
${print('restart ')}
	# TCB_WriteRegisters: resume, one register, pc.
	addi a0, s1, 202
	li a1, ${(3 << 12) | 3}
	li a2, 1
	li a3, 1
	li a4, 0x200000
	li a7, -1
	ecall
	j wait
give_up:
	addi a0, s1, 202
	li a1, ${12 << 12}
	li a7, -1
	ecall
${print('stopped')}
	j wait`);
	const system = boot(`<system>${domain('parent', 'priority="2"', domain('child', 'priority="1" id="7"'))}</system>`, {
		'parent.elf': parent,
		'child.elf': child,
	});
	expect(system.text()).toBe(`${STARTED}crash restart crash restart crash stopped`);
});

test('faults that no parent handles go to the monitor', () => {
	const system = boot(`<system>${domain('lost', 'stack_size="0x1000"')}</system>`, {
		'lost.elf': program('	addi sp, sp, -2048\n	addi sp, sp, -2048\n	sd zero, -8(sp)'),
	});
	const lines = system.text().split('\n');
	expect(lines[1]).toBe(
		'MON|ERROR: received message 0x00000006  badge: 0x0000000000000001  tcb cap: 0x000000000000000a',
	);
	expect(lines[2]).toBe('MON|ERROR: faulting PD: lost');
	expect(lines).toContain('pc : 0x0000000000200008');
	expect(lines.slice(-4)).toEqual([
		'MON|ERROR: VMFault: ip=0x0000000000200008  fault_addr=0x0000003fffffbff8  fsr=0x0000000000000007  (data fault)',
		'MON|ERROR: description of fault: Store/AMO access fault',
		'MON|ERROR: potential stack overflow, fault address within one page outside of stack region',
		'',
	]);
});

test('shared memory, its file, and notifications', () => {
	const writer = program(
		`
	la t0, base
	ld t0, 0(t0)
	lbu s0, 1(t0)
	addi s0, s0, 1
	sb s0, 0(t0)
	li a0, 13
	li a1, 0
	li a7, -5
	ecall
${RECEIVE}`,
		variable('base', 8),
	);
	const reader = program(`
${RECEIVE}
	li t1, 32
	bne a0, t1, wrong
	li t0, 0x5000000
	lbu a0, 0(t0)
	li a7, -12
	ecall
${RECEIVE}
wrong:
${print('wrong')}`);
	const system = boot(
		`<system><memory_region name="shared" prefill_path="shared.bin"/>
		${domain('writer', 'priority="1"', '<map mr="shared" vaddr="0x4000000" setvar_vaddr="base"/>')}
		${domain('reader', 'priority="2"', '<map mr="shared" vaddr="0x5000000" perms="r"/>')}
		<channel><end pd="writer" id="3"/><end pd="reader" id="5"/></channel></system>`,
		{ 'writer.elf': writer, 'reader.elf': reader, 'shared.bin': Uint8Array.of(0, 'x'.charCodeAt(0)) },
	);
	expect(system.text()).toBe(`${STARTED}y`);
});

test('a driver: registers of a device, and its interrupt', () => {
	const driver = program(`
	li s1, 0x2000000
	li t0, 1
	sb t0, 1(s1)
wait:
${RECEIVE}
	li t1, 8
	bne a0, t1, wait
	lbu a0, 0(s1)
	addi a0, a0, 1
	li a7, -12
	ecall
	# IRQHandler_Ack
	li a0, 141
	li a1, ${27 << 12}
	li a7, -1
	ecall
	j wait`);
	const system = boot(
		`<system><memory_region name="uart" size="0x1000" phys_addr="0x10000000"/>
		${domain('driver', 'priority="3"', '<map mr="uart" vaddr="0x2000000" cached="false"/><irq irq="10" id="3"/>')}</system>`,
		{ 'driver.elf': driver },
	);
	expect(system.text()).toBe(STARTED);
	system.machine.receive(new TextEncoder().encode('HAL'));
	system.machine.run(100_000);
	expect(system.text()).toBe(`${STARTED}IBM`);
});

test('a budget holds its domain back', () => {
	const hog = program('	j .');
	const { kernel, machine } = boot(
		`<system>${domain('hog', 'priority="9" budget="1000" period="10000"')}${domain('low', 'priority="1"')}</system>`,
		{ 'hog.elf': hog, 'low.elf': program('	j .') },
		100_000_000,
	);
	const ran = (name: string): number => kernel.statistics.threads.find((thread) => thread.name === name)!.runNanos;
	expect(ran('hog') / machine.now()).toBeLessThanOrEqual(0.11);
	expect(ran('hog') / machine.now()).toBeGreaterThan(0.09);
	expect(ran('low') / machine.now()).toBeGreaterThan(0.85);
});

test('the devicetree is where a region asks for it: boot information, with its header', () => {
	const reader = program(`
	li t0, 0x5000000
	lbu a0, 16(t0)
	lbu t1, 17(t0)
	add a0, a0, t1
	addi a0, a0, -128
	li a7, -12
	ecall
${RECEIVE}`);
	const system = boot(
		`<system><memory_region name="tree" prefill_bootinfo="fdt"/>${domain('d', '', '<map mr="tree" vaddr="0x5000000" perms="r"/>')}</system>`,
		{ 'd.elf': reader },
	);
	expect(system.text()).toBe(`${STARTED}${String.fromCharCode(0xd0 + 0x0d - 128)}`);
});

test('capabilities of other domains', () => {
	const primary = program(`
	# TCB_Suspend of slot 1 of the root CNode.
	li a0, 1
	slli a0, a0, 58
	li a1, ${12 << 12}
	li a7, -1
	ecall
	srli a0, a1, 12
	addi a0, a0, 48
	li a7, -12
	ecall
${RECEIVE}`);
	const { text, kernel } = boot(
		`<system>${domain('primary', 'priority="2"', '<cspace><cap_tcb pd="spinner" slot="1"/></cspace>')}${domain('spinner', 'priority="1"')}</system>`,
		{ 'primary.elf': primary, 'spinner.elf': program('	j .') },
	);
	expect(text()).toBe(`${STARTED}0`);
	expect(kernel.statistics.threads.find(({ name }) => name === 'spinner')!.status).toBe('inactive');
});

test('a snapshot goes on as the run does', () => {
	const source = `<system>${domain('server', 'priority="2" budget="100" period="1000"')}${domain('client', 'priority="1"')}</system>`;
	const loop = program(`	li s0, 1000
1:	addi s0, s0, -1
	bnez s0, 1b
${print('.')}
	j _start`);
	const files = { 'server.elf': loop, 'client.elf': loop };
	const first = boot(source, files, 300_000);
	const saved = first.machine.save();
	first.machine.run(300_000);
	const second = boot(source, files, 0);
	second.machine.restore(saved);
	second.machine.run(300_000);
	expect(second.kernel.statistics).toEqual(first.kernel.statistics);
	expect(first.text().endsWith(second.text().replace(STARTED, ''))).toBe(true);
});

describe('what the board does not have is refused, with the place', () => {
	const refused = (source: string, files: Readonly<Record<string, Uint8Array>> = { 'd.elf': program() }): string => {
		try {
			boot(source, files, 0, 8 << 20);
		} catch (error) {
			if (error instanceof MicrokitError) return error.message;
			throw error;
		}
		throw new Error('it is accepted');
	};

	test('memory', () => {
		expect(refused(`<system>\n<memory_region name="r" size="0x1000000"/>\n${domain('d', '')}</system>`)).toContain(
			"test.system:2:1: memory region 'r': there are no 16777216 bytes left",
		);
		expect(refused(`<system>\n${domain('d', 'stack_size="0x1000000"')}</system>`)).toContain(
			"test.system:2:1: protection domain 'd'",
		);
	});

	test("device registers that are the kernel's, or to be filled", () => {
		expect(
			refused(
				`<system>\n<memory_region name="plic" size="0x1000" phys_addr="0xc000000"/>\n${domain('d', '')}</system>`,
			),
		).toContain("test.system:2:1: memory region 'plic': 0xc000000 to 0xc001000 is no device's, nor free memory");
		const filled = `<system>\n<memory_region name="u" size="0x1000" phys_addr="0x10000000" prefill_bootinfo="fdt"/>\n${domain('d', '')}</system>`;
		expect(refused(filled)).toContain("test.system:2:1: memory region 'u'");
	});

	test('a schedule of domains', () => {
		const schedule =
			'<domains><domain name="one"/><domain_schedule><schedule_entry domain="one" duration="1 us"/></domain_schedule></domains>';
		expect(refused(`<system>\n${schedule}\n${domain('d', 'domain="one"')}</system>`)).toContain(
			'test.system:3:1: a schedule of domains',
		);
	});
});
