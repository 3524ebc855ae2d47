// A VM on the machine: SBI, traps, waiting, timers, ending and starting again, and descriptions that cannot be.
import { Slot } from '@partita/cpu';
import { Plic } from '@partita/intc';
import { assemble } from '@partita/riscv';
import { describe, expect, test } from 'vitest';
import type { VirtualDevice, VirtualDevicePorts, VirtualMachineOptions } from '../src/index.ts';
import { BASE, host, MEMORY, run, x } from './support/host.ts';

const OFF = 'li a7, 8\necall\n';

describe('SBI', () => {
	test('base: version 2.0; extensions are probed', () => {
		const { host, result } = run(`
			li a7, 0x10
			li a6, 0
			ecall
			mv s0, a1
			li a7, 0x10
			li a6, 3
			li a0, 0x4442434e
			ecall
			mv s1, a1
			${OFF}`);
		expect(result).toMatchObject({ reason: 'ended', ending: { code: 0 } });
		expect([x(host, 8), x(host, 9)]).toEqual([0x0200_0000n, 1n]);
		expect(host.machine.exits.sbi).toBe(3);
		expect(host.work.get('sbiCall')).toBe(3);
	});

	test('a hart starts as the specification says: a0 its id, a1 the devicetree, all off', () => {
		const source = `mv s0, a0\nmv s1, a1\ncsrr s2, sstatus\ncsrr s3, satp\ncsrr s4, sie\n${OFF}`;
		const { bytes } = assemble(source, { base: BigInt(BASE) });
		const { host } = run(source, {
			boot: { parts: [{ address: BASE, bytes }], entry: BASE, deviceTree: BASE + 0x1000 },
		});
		expect([8, 9, 19, 20].map((register) => x(host, register))).toEqual([0n, BigInt(BASE + 0x1000), 0n, 0n]);
		expect(x(host, 18) & 2n).toBe(0n);
	});

	test('the debug console prints from guest memory, and refuses addresses outside it', () => {
		const { host } = run(`
			li a7, 0x4442434e
			li a6, 0
			li a0, 5
			la a1, 1f
			li a2, 0
			ecall
			mv s0, a0
			li a7, 0x4442434e
			li a6, 0
			li a0, 8
			li a1, ${BASE + MEMORY - 4}
			li a2, 0
			ecall
			mv s1, a0
			${OFF}
		1:	.ascii "hello"`);
		expect(host.printed).toBe('hello');
		expect([x(host, 8), BigInt.asIntN(64, x(host, 9))]).toEqual([0n, -3n]);
	});

	test('system reset: shut down with failure has code 1; a reboot starts again, or ends', () => {
		const reset = (type: number): string => `li a7, 0x53525354\nli a6, 0\nli a0, ${type}\nli a1, 1\necall\n`;
		expect(run(reset(0)).host.machine.ending).toEqual({ reason: 'power-off', code: 1 });
		expect(run(reset(1), { reboot: 'stop' }).host.machine.ending).toEqual({ reason: 'reset', code: 1 });
		const again = run(
			`la s0, 1f\nlw t0, 0(s0)\naddi t0, t0, 1\nsw t0, 0(s0)\n${reset(1)}\n.balign 4\n1: .word 7`,
			{},
			1000,
		);
		expect(again.host.machine.ending).toBeUndefined();
		expect(again.host.machine.restarts).toBeGreaterThan(10);
		// Each time its memory is as at first: the word never gets past 8.
		expect(x(again.host, 5)).toBeLessThanOrEqual(8n);
	});

	test('whatever is called with whatever arguments, the call returns', () => {
		const { host, result } = run(
			`li s0, 0x9e3779b97f4a7c15
			li s1, 1
		1:	mul s1, s1, s0
			addi s1, s1, 77
			mv a0, s1
			slli a1, s1, 7
			srli a2, s1, 9
			mv a3, s1
			srli a6, s1, 61
			andi t0, s1, 7
			la t1, 2f
			slli t0, t0, 3
			add t1, t1, t0
			ld a7, 0(t1)
			ecall
			j 1b
			.balign 8
		2:	.dword 0x10, 0x54494d45, 0x735049, 0x52464e43, 0x48534d, 0x4442434e, 1, 5`,
			{},
			200_000,
		);
		// HSM may have stopped or suspended it.
		expect(result.reason).toBeOneOf(['limit', 'idle']);
		expect(host.machine.exits.sbi).toBeGreaterThan(3);
	});
});

describe('traps', () => {
	test('the guest handles its own exceptions without an exit', () => {
		const { host } = run(`
			la t0, 1f
			csrw stvec, t0
			ebreak
		1:	csrr s0, scause
			${OFF}`);
		expect(x(host, 8)).toBe(3n);
		expect(host.machine.exits).toEqual({
			sbi: 1,
			mmioLoad: 0,
			mmioStore: 0,
			wait: 0,
			instruction: 0,
			invalidAccess: 0,
		});
	});

	test.each([
		['a hypervisor CSR', 'csrr a0, hstatus'],
		['HFENCE', 'hfence.gvma'],
		['a cycle counter', 'csrr a0, cycle'],
		['HLV', 'hlv.w a0, (a1)'],
	])('%s is illegal: there is no hypervisor extension, and no counter that would tell of others', (_, instruction) => {
		const { host } = run(`
			la t0, 1f
			csrw stvec, t0
			${instruction}
			${OFF}
			.balign 4
		1:	csrr s0, scause
			csrr s1, sepc
			${OFF}`);
		expect(x(host, 8)).toBe(2n);
		expect(host.machine.exits.instruction).toBe(1);
		expect(host.work.get('exceptionInjection')).toBe(1);
	});

	test('interrupts are enabled again, and the privilege restored, on return from a reflected exception', () => {
		const { host } = run(`
			la t0, handler
			csrw stvec, t0
			li t0, 0x100
			csrc sstatus, t0
			csrsi sstatus, 2
			csrr s2, sstatus
			csrr a0, hstatus
			csrr s3, sstatus
			${OFF}
			.balign 4
		handler:
			csrr s4, sstatus
			csrr t0, sepc
			addi t0, t0, 4
			csrw sepc, t0
			sret`);
		expect(x(host, 18) & 2n).toBe(2n);
		// In the handler: SIE off, SPIE and SPP on.
		expect(x(host, 20) & 0x122n).toBe(0x120n);
		expect(x(host, 19) & 2n).toBe(2n);
	});

	test('user mode reads the time, and no other counter', () => {
		const { host } = run(`
			la t0, 1f
			csrw stvec, t0
			la t0, 2f
			csrw sepc, t0
			sret
			.balign 4
		1:	csrr s0, scause
			csrr s1, stval
			${OFF}
		2:	rdtime s2
			rdcycle s3`);
		expect([x(host, 8), x(host, 9)]).toEqual([2n, 0xc00029f3n]);
		expect(x(host, 19)).toBe(0n);
	});

	test('time is readable, and is the board’s', () => {
		const { host, machine } = run(`rdtime s0\n${OFF}`);
		expect(Number(x(host, 8)) * 100).toBeLessThanOrEqual(machine.now());
	});
});

describe('waiting', () => {
	test('WFI ends at the timer, at its tick', () => {
		const { host, machine } = run(`
			li t0, 0x20
			csrw sie, t0
			li t1, 5000
			csrw stimecmp, t1
			wfi
			rdtime s0
			${OFF}`);
		expect(host.machine.exits.wait).toBe(1);
		expect(x(host, 8)).toBe(5000n);
		expect(machine.now()).toBeGreaterThanOrEqual(500_000);
		expect(host.actions[0]).toEqual({ kind: 'wait' });
	});

	test('WFI with an interrupt pending goes on at once; so does one whose timer lies in the past', () => {
		const { host } = run(`
			li t0, 0x22
			csrw sie, t0
			csrsi sip, 2
			wfi
			csrci sip, 2
			csrw stimecmp, x0
			wfi
			${OFF}`);
		expect(host.machine.exits.wait).toBe(2);
		expect(host.machine.ending).toBeDefined();
	});

	test('WFI without any interrupt enabled waits for ever', () => {
		const { result, host } = run('wfi\nj .');
		expect(result).toEqual({ reason: 'idle', next: undefined });
		expect(host.machine.isRunnable(0)).toBe(false);
		expect(host.machine.nextEvent).toBeUndefined();
	});

	test('WFI in user mode is illegal', () => {
		const { host } = run(`
			la t0, 1f
			csrw stvec, t0
			la t0, 2f
			csrw sepc, t0
			sret
			.balign 4
		1:	csrr s0, scause
			${OFF}
		2:	wfi`);
		expect(x(host, 8)).toBe(2n);
	});
});

describe('devices', () => {
	/** Reads count; a write of n arms its timer in n ns, which raises its interrupt. */
	class Alarm implements VirtualDevice {
		state = { reads: 0, level: false };
		readonly #ports: VirtualDevicePorts;

		constructor(ports: VirtualDevicePorts) {
			this.#ports = ports;
		}

		restore(state: never): void {
			this.state = structuredClone(state);
		}

		read(): number {
			this.#set(false);
			return ++this.state.reads;
		}

		write(_offset: number, _size: number, value: number): void {
			this.#ports.timer.setDeadline(value === 0 ? undefined : this.#ports.now() + value);
		}

		expire(): void {
			this.#set(true);
		}

		#set(level: boolean): void {
			this.state.level = level;
			this.#ports.line.set(level);
		}
	}

	const options: Partial<VirtualMachineOptions> = {
		devices: [{ name: 'alarm', base: 0x2000, size: 0x10, interrupt: 3, create: (ports) => new Alarm(ports) }],
		interruptController: {
			name: 'plic',
			base: 0xc00_0000,
			size: 0x60_0000,
			create: (lines) => new Plic({ contexts: lines }),
		},
	};
	const source = `
		la t0, handler
		csrw stvec, t0
		li s0, 0x2000
		li s1, 0xc000000
		li t0, 1
		sw t0, 12(s1)
		li t1, 0xc002000
		li t0, 8
		sw t0, 0(t1)
		li t1, 0xc200000
		li t0, 0x200
		csrw sie, t0
		csrsi sstatus, 2
		li t0, 300000
		sw t0, 0(s0)
	1:	wfi
		j 1b
		.balign 4
	handler:
		csrr s2, scause
		lw s3, 4(t1)
		lw s4, 0(s0)
		sw s3, 4(t1)
		rdtime s5
		${OFF}`;

	test('interrupt through the controller, at the time that they asked for', () => {
		const { host, result } = run(source, options);
		expect(result).toMatchObject({ reason: 'ended' });
		expect(x(host, 18)).toBe((1n << 63n) | 9n);
		expect([x(host, 19), x(host, 20)]).toEqual([3n, 1n]);
		expect(Number(x(host, 21)) * 100).toBeGreaterThanOrEqual(300_000);
		expect(Number(x(host, 21)) * 100).toBeLessThan(301_000);
		expect(host.work.get('interruptInjection')).toBeGreaterThan(0);
		expect(host.machine.device('alarm').state).toEqual({ reads: 1, level: false });
		expect(() => host.machine.device('none')).toThrow(/guest has no device none/);
	});

	test('are as new after a reset', () => {
		const { host } = run(source, options);
		host.machine.reset();
		expect(host.machine.clearing).toBe(true);
		expect(host.machine.ending).toBeDefined();
		expect(host.machine.clear(255)).toBe(false);
		expect(host.machine.clear(1)).toBe(true);
		expect(host.machine.ending).toBeUndefined();
		expect(host.machine.device('alarm').state).toEqual({ reads: 0, level: false });
		expect(host.machine.nextEvent).toBeUndefined();
		expect(host.machine.isRunnable(0)).toBe(true);
	});

	test('and everything else goes on from a saved state, in another machine', () => {
		const first = host(source, options);
		// Setting up takes fewer instructions than that, and then it waits for its alarm.
		first.machine.run(10_000, { idleUntil: 100_000 });
		const state = structuredClone(first.host.machine.state);
		expect(state.vcpus[0]!.waiting).toBe(true);
		expect(state.deadlines).toHaveProperty('alarm');
		const second = host(source, options);
		second.host.machine.vcpus[0]!.detach();
		second.host.machine.restore(state);
		expect(second.host.machine.state).toEqual(state);
		expect(second.host.machine.nextEvent).toBe(first.host.machine.nextEvent);
	});

	test('a state of another machine is refused', () => {
		const { host: one } = host(source, options);
		const { state } = one.machine;
		expect(() => one.machine.restore({ ...state, devices: {} })).toThrow(/it has no device/);
		expect(() => one.machine.restore({ ...state, vcpus: [] })).toThrow(/other virtual CPUs/);
		expect(() =>
			one.machine.restore({ ...state, vcpus: [{ ...state.vcpus[0]!, words: new BigUint64Array(3) }] }),
		).toThrow(/wrong length/);
	});

	test('a state that was tampered with gives the guest no more than it had', () => {
		const { host: one } = host(source, options);
		one.machine.vcpus[0]!.detach();
		const state = structuredClone(one.machine.state);
		const { words } = state.vcpus[0]!;
		const right = words[Slot.hgatp];
		words[Slot.hgatp] = 0n;
		words[Slot.virtual] = 0n;
		words[Slot.privilege] = 3n;
		words[Slot.hedeleg] = 0xffff_ffffn;
		words[Slot.hstatus] = 0n;
		one.machine.restore(state);
		const restored = one.machine.vcpus[0]!.words;
		expect(restored[Slot.hgatp]).toBe(right);
		expect([restored[Slot.virtual], restored[Slot.privilege]]).toEqual([1n, 1n]);
		expect(restored[Slot.hedeleg]).toBe(0xb1ffn);
		expect(restored[Slot.hstatus]).toBe((2n << 32n) | (1n << 21n));
	});
});

describe('control', () => {
	test('a paused machine is not runnable, and goes on', () => {
		const { host: one, machine } = host('1: j 1b');
		one.machine.pause();
		expect(machine.run(1000)).toMatchObject({ reason: 'idle' });
		one.machine.resume();
		expect(machine.run(1000)).toEqual({ reason: 'limit' });
		one.machine.stop('enough');
		expect(one.machine.ending).toEqual({ reason: 'stopped', code: 0, detail: 'enough' });
		expect(one.machine.isRunnable(0)).toBe(false);
	});

	test('console input waits for the SBI within bounds, and the host is told when there is room', () => {
		const getchar = 'li a7, 2\necall\n';
		const { host: one, machine } = host(`${getchar.repeat(3)}mv s0, a0\nwfi`);
		expect(one.machine.receive(new Uint8Array(5000).fill(0x41))).toBe(4096);
		expect(one.machine.receive(Uint8Array.of(1))).toBe(0);
		machine.run(1000);
		expect(x(one, 8)).toBe(0x41n);
		expect(one.ready).toBe(1);
		expect(one.machine.receive(new Uint8Array(10))).toBe(3);
	});

	test('disposed of, it is cleared and never run again', () => {
		const { host: one, machine } = host('la s0, 2f\nsd s0, 0(s0)\n1: j 1b\n.balign 8\n2: .dword 0');
		machine.run(100);
		one.machine.vcpus[0]!.detach();
		one.machine.dispose();
		expect([one.machine.gone, one.machine.clearing, one.machine.isRunnable(0)]).toEqual([false, true, true]);
		while (!one.machine.clear(100));
		expect([one.machine.gone, one.machine.clearing, one.machine.isRunnable(0)]).toEqual([true, false, false]);
		expect(one.work.get('retype')).toBe(3);
		const memory = new Uint8Array(MEMORY);
		one.machine.memory.read(BASE, memory);
		expect(memory.every((byte) => byte === 0)).toBe(true);
		one.machine.reset();
		expect(one.machine.clearing).toBe(false);
		expect(machine.run(1000)).toMatchObject({ reason: 'idle' });
	});

	test('stopped while it is cleared, it does not start again', () => {
		const { host: one } = host('1: j 1b');
		one.machine.vcpus[0]!.detach();
		one.machine.reset();
		one.machine.clear(1);
		one.machine.stop('no');
		expect(one.machine.isRunnable(0)).toBe(false);
		expect(one.machine.clear(1000)).toBe(true);
		expect(one.machine.ending).toMatchObject({ detail: 'no' });
	});
});

describe('descriptions that cannot be', () => {
	const window = (name: string, base: number, size = 0x1000) => ({
		name,
		base,
		size,
		create: () => ({ state: undefined, restore: () => {}, read: () => 0, write: () => {} }),
	});

	test.each<[string, Partial<VirtualMachineOptions>, RegExp]>([
		['VMID 0', { vmid: 0 }, /VMID 0: 1 to 16383/],
		['no virtual CPU', { vcpus: 0 }, /0 virtual CPUs: 1 to 8/],
		['VMIDs of which the last has 15 bits', { vmid: 16382, vcpus: 3 }, /VMID 16382: 1 to 16381/],
		['a VMID of 15 bits', { vmid: 16384 }, /VMID 16384/],
		['memory of no whole pages', { memory: { base: BASE, size: 100 } }, /no range of whole pages/],
		['no memory', { memory: { base: BASE, size: 0 } }, /memory: base 2147483648 and size 0 are no range/],
		[
			'memory beyond the tables',
			{ memory: { base: 2 ** 41, size: 4096 }, boot: { parts: [], entry: 2 ** 41 } },
			/in 41 bits/,
		],
		['more memory than there is', { memory: { base: BASE, size: 64 << 20 } }, /no such run of memory left/],
		['a device in memory', { devices: [window('d', BASE + 0x1000)] }, /d overlaps memory at 0x80001000/],
		['devices that overlap', { devices: [window('a', 0x1000), window('b', 0x1fff)] }, /b overlaps a/],
		['two of one name', { devices: [window('a', 0x1000), window('a', 0x3000)] }, /two things are called a/],
		['a window of no size', { devices: [window('a', 0x1000, 0)] }, /no range of addresses/],
		[
			'an interrupt without a controller',
			{ devices: [{ ...window('a', 0x1000), interrupt: 1 }] },
			/no interrupt controller/,
		],
		[
			'a part outside memory',
			{ boot: { parts: [{ address: BASE - 1, bytes: new Uint8Array(2) }], entry: BASE } },
			/not in its memory/,
		],
		['an odd entry', { boot: { parts: [], entry: BASE + 1 } }, /cannot start at 0x80000001/],
		['an entry outside memory', { boot: { parts: [], entry: BASE + MEMORY } }, /cannot start/],
	])('%s', (_, options, reason) => {
		expect(() => host('nop', options)).toThrow(reason);
	});
});
