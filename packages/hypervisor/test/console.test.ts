// The board's UART shared by VMs: through SBI calls and through virtual UARTs, output and input.
import { Ns16550a } from '@partita/devices';
import { linkedConsole } from '@partita/drivers';
import { Plic } from '@partita/intc';
import { u54h } from '@partita/kernel-costs';
import { Machine } from '@partita/machine';
import { FixedPriority } from '@partita/sched';
import type { VirtualDeviceDescription } from '@partita/vmm';
import { describe, expect, test } from 'vitest';
import { type Hypervisor, type HypervisorConfig, hypervisor } from '../src/index.ts';
import { assemblyVm, runUntil, type TestVm } from './support/guests.ts';

const MS = 1_000_000;

/** Prints a string by sbi_console_putchar, then echoes each byte that sbi_console_getchar gives, plus one. */
const sbiEcho = (text: string): string => `
	la s0, text
1:	lbu a0, 0(s0)
	beqz a0, 2f
	li a7, 1
	ecall
	addi s0, s0, 1
	j 1b
2:	li a7, 2
	ecall
	bltz a0, 3f
	addi a0, a0, 1
	li a7, 1
	ecall
	j 2b
3:	# Asleep for 0.1 ms, so that others run.
	rdtime t0
	addi t0, t0, 1000
	csrw stimecmp, t0
	li t0, 0x20
	csrw sie, t0
	wfi
	j 2b
text:	.asciz ${JSON.stringify(text)}
`;

const uart: VirtualDeviceDescription = {
	name: 'uart',
	base: 0x1000_0000,
	size: 0x100,
	interrupt: 10,
	create: ({ line, console, now, timer, inputReady }) =>
		new Ns16550a({ line, console, now, timer, onRoom: inputReady, inputCapacity: 16 }),
};
const interruptController = {
	name: 'plic',
	base: 0xc00_0000,
	size: 0x60_0000,
	create: (lines: ConstructorParameters<typeof Plic>[0]['contexts']) =>
		new Plic({ contexts: lines.flatMap((line) => [{ set: () => {} }, line]) }),
};

/** Echoes what its UART receives, by interrupts of its PLIC's context 1. */
const uartEcho = `
	la t0, handler
	csrw stvec, t0
	li s0, 0x10000000
	li s1, 0xc000000
	li t0, 1
	sw t0, 40(s1)       # priority of source 10
	li t1, 0xc002080
	li t0, 1024
	sw t0, 0(t1)        # enabled for context 1
	sb t0, 3(s0)
	li t0, 1
	sb t0, 1(s0)        # received data interrupts
	li s2, 0xc201000
	li t0, 0x200
	csrw sie, t0
	csrsi sstatus, 2
1:	wfi
	j 1b
	.balign 4
handler:
	lw t0, 4(s2)
2:	lbu t1, 5(s0)
	andi t1, t1, 1
	beqz t1, 3f
	lbu t1, 0(s0)
	sb t1, 0(s0)
	j 2b
3:	sw t0, 4(s2)
	sret
`;

function start(vms: readonly TestVm[], more: Partial<HypervisorConfig<{ readonly priority: number }>> = {}) {
	let screen = '';
	const factory = hypervisor({
		vms: vms.map(({ config }) => config),
		policy: new FixedPriority(),
		costs: u54h,
		console: { create: linkedConsole },
		...more,
	});
	const machine = new Machine({
		memory: 16 << 20,
		kernel: factory,
		console: (byte) => {
			screen += String.fromCharCode(byte);
		},
	});
	const kernel: Hypervisor<{ readonly priority: number }> = factory.kernel!;
	return {
		machine,
		kernel,
		/** Types, runs for a while, and gives what was printed meanwhile. */
		converse(text: string, nanos: number): string {
			screen = '';
			let rest = new TextEncoder().encode(text);
			const end = machine.now() + nanos;
			while (machine.now() < end) {
				rest = rest.subarray(machine.receive(rest));
				runUntil(machine, Math.min(machine.now() + MS / 10, end));
			}
			expect(rest).toHaveLength(0);
			return screen;
		},
	};
}

describe('SBI consoles', () => {
	test('of two VMs share the terminal; what is typed goes to the one that is chosen', () => {
		const vms = ['a', 'b'].map((name) => assemblyVm(name, sbiEcho(`I am ${name}\n`), { priority: 1 }));
		const { converse, kernel } = start(vms);
		expect(converse('', MS)).toBe('a| I am a\nb| I am b\n');
		expect(converse('HAL', MS)).toBe('a| IBM');
		expect(converse('\x1c1HAL', MS)).toBe('\n[console: input goes to b]\nb| IBM');
		expect(kernel.statistics.vms.map(({ consoleBytes }) => consoleBytes)).toEqual([10, 10]);
		expect(kernel.statistics.interrupts).toBeGreaterThan(0);
	});

	test('without a driver, VMs print on the board as they are, and input is given from outside', () => {
		const seen: [string, string][] = [];
		const { converse, kernel } = start([assemblyVm('a', sbiEcho('hello\n'), { priority: 1 })], {
			console: undefined as never,
			onConsole: (vm, bytes) => seen.push([vm, new TextDecoder().decode(bytes)]),
		});
		expect(converse('', MS)).toBe('hello\n');
		expect(kernel.receive('a', new TextEncoder().encode('HAL'))).toBe(3);
		expect(converse('', MS)).toBe('IBM');
		expect(seen.map(([vm]) => vm)).toEqual(Array(9).fill('a'));
		expect(seen.map(([, text]) => text).join('')).toBe('hello\nIBM');
	});

	test('more than anybody takes waits in the UART, and nothing is lost', () => {
		const { converse } = start([assemblyVm('a', sbiEcho(''), { priority: 1 })]);
		const text = 'x'.repeat(20_000);
		expect(converse(text, 40 * MS)).toBe('y'.repeat(20_000));
	});
});

describe('virtual UARTs', () => {
	test('interrupt through the virtual PLIC; refused input is offered again', () => {
		const vm = assemblyVm('a', uartEcho, { priority: 1 }, { devices: [uart], interruptController });
		const { converse, kernel } = start([vm]);
		expect(converse('', MS)).toBe('');
		const text = Array.from({ length: 300 }, (_, i) => String.fromCharCode(65 + (i % 26))).join('');
		expect(converse(text, 20 * MS)).toBe(text);
		const { exits } = kernel.statistics.vms[0]!;
		expect(exits.mmioStore).toBeGreaterThan(300);
		expect(exits.invalidAccess).toBe(0);
		expect(exits.wait).toBeGreaterThan(1);
	});

	test('of a VM without an interrupt controller are refused', () => {
		const vm = assemblyVm('a', uartEcho, { priority: 1 }, { devices: [uart] });
		expect(() => start([vm])).toThrow(/uart has an interrupt, but there is no interrupt controller/);
	});
});

test('a name that the terminal cannot show is refused', () => {
	const vm = assemblyVm('x'.repeat(33), '1: j 1b', { priority: 1 });
	expect(() => start([vm])).toThrow(/x.name: console: client name/);
});

test('registers that the board does not have are refused', () => {
	const vm = assemblyVm('a', '1: j 1b', { priority: 1 });
	expect(() => start([vm], { console: { create: linkedConsole, address: 0x5000_0000 } })).toThrow(
		/console.address: the board has no device at 0x50000000/,
	);
});
