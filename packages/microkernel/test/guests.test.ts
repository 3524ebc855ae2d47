/** Guests of virtual CPUs: a component is their monitor. What a monitor may show its guest, and what it may not. */
import { busyProgram, readReportArea, realTimeGuest } from '@partita/guests';
import { chargeOf, u54h } from '@partita/kernel-costs';
import { buildPageTable, encodeHgatp, MODE_SV39, PTE_A, PTE_D, PTE_R, PTE_U, PTE_W, PTE_X, SV39X4 } from '@partita/mmu';
import { elfSymbolMap, readElf } from '@partita/riscv';
import { VirtualMachine, type VirtualMachineState, type VmExit, type VmPlacement } from '@partita/vmm';
import { describe, expect, test } from 'vitest';
import type { ComponentBehaviour, ComponentDescription, ComponentEnvironment } from '../src/index.ts';
import { boot, report, threadOf } from './support.ts';

const MS = 1_000_000;
const MEMORY = 4 * 1024 * 1024;
const BASE = 0x8000_0000;

/** The monitor of a virtual machine with one virtual CPU. */
class Monitor implements ComponentBehaviour {
	readonly machine: VirtualMachine;
	readonly #environment: ComponentEnvironment;
	#wake = true;

	constructor(environment: ComponentEnvironment, elf: Uint8Array, vmid: number) {
		const { segments, entry } = readElf(elf);
		this.#environment = environment;
		this.machine = new VirtualMachine(
			{
				name: environment.name,
				vmid,
				memory: { base: BASE, size: MEMORY },
				boot: {
					parts: segments.map(({ physicalAddress, bytes }) => ({ address: Number(physicalAddress), bytes })),
					entry: Number(entry),
				},
			},
			{
				memory: environment.pool,
				frames: environment.pool,
				console: { write: (bytes) => environment.print(bytes), ready: () => {} },
				now: () => environment.now(),
				work: (work, units) => environment.work(chargeOf(u54h, work, units)),
				wake: () => {
					this.#wake = true;
				},
				timerChanged: () => {},
			},
		);
		environment.vcpus[0]!.bind(this.machine.vcpus[0]!, this.machine.memory.hgatp | (BigInt(vmid) << 44n));
	}

	get state(): { machine: VirtualMachineState; placement: VmPlacement; wake: boolean } {
		return { machine: this.machine.state, placement: this.machine.placement, wake: this.#wake };
	}

	restore({ machine, placement, wake }: Monitor['state']): void {
		this.machine.place(placement);
		this.machine.restore(machine);
		this.#wake = wake;
	}

	#settle(): void {
		while (this.machine.clearing) this.machine.clear(16);
		if (this.#wake) this.#environment.vcpus[0]!.resume();
		this.#wake = false;
		this.#environment.alarm(this.machine.nextEvent);
	}

	init(): void {
		this.#settle();
	}

	exit(vcpu: number, exit: VmExit): 'resume' | 'wait' {
		const { kind } = this.machine.handleExit(vcpu, exit);
		this.#settle();
		return kind === 'resume' ? 'resume' : 'wait';
	}

	alarm(): void {
		this.machine.expire();
		this.#settle();
	}
}

function guest(name: string, elf: Uint8Array, priority: number, vmid: number): ComponentDescription {
	return {
		name: `${name}.monitor`,
		priority: 250,
		pool: 2 * MEMORY,
		vcpus: [{ name, priority }],
		create: (environment) => new Monitor(environment, elf, vmid),
	};
}

const elf = realTimeGuest({ control: { name: 'control', period: MS, work: 100_000 } });

function tasks(monitor: Monitor) {
	const area = Number(elfSymbolMap(readElf(elf)).get('report_area'));
	return readReportArea((offset, into) => monitor.machine.memory.read(area + offset, into))!;
}

describe('a guest', () => {
	test('meets its deadlines beside programs and another guest, with its timer and its registers its own', () => {
		const monitors: Monitor[] = [];
		const keep = (description: ComponentDescription): ComponentDescription => ({
			...description,
			create: (environment) => {
				const monitor = description.create(environment) as Monitor;
				monitors.push(monitor);
				return monitor;
			},
		});
		const hog = busyProgram({ name: 'hog', work: 100 });
		const running = boot(
			{
				domains: [{ name: 'hog', elf: hog, priority: 1 }],
				components: [keep(guest('first', elf, 100, 1)), keep(guest('second', elf, 90, 2))],
			},
			{ costs: u54h },
		);
		running.machine.run(20 * MS);
		for (const monitor of monitors) {
			const [control] = tasks(monitor);
			expect(control!.completed).toBeGreaterThanOrEqual(18);
			expect(control!.missed).toBe(0);
			expect(monitor.machine.exits.wait).toBeGreaterThanOrEqual(18);
		}
		expect(report(running, 'hog', hog)[0]!.completed).toBeGreaterThan(1000);
		const { exits, worldSwitches } = running.kernel.statistics;
		expect(exits).toBe(monitors.reduce((sum, { machine }) => sum + machine.exits.wait + machine.exits.sbi, 0));
		expect(worldSwitches).toBeGreaterThan(40);
		expect(threadOf(running, 'first').runNanos).toBeGreaterThan(18 * 100_000);
	});

	test('goes on from a snapshot, on the hart or off it', () => {
		for (const at of [5 * MS + 50_000, 5 * MS + 700_000]) {
			const make = () => boot({ components: [guest('vm', elf, 100, 1)] }, { costs: u54h }, { traceHash: true });
			const through = make();
			through.machine.run(at, { idleUntil: at });
			const saved = structuredClone(through.machine.save());
			through.machine.run(5 * MS, { idleUntil: 10 * MS });
			const resumed = make();
			resumed.machine.run(MS, { idleUntil: 2 * MS });
			resumed.machine.restore(saved);
			resumed.machine.run(5 * MS, { idleUntil: 10 * MS });
			expect(resumed.machine.traceHash).toBe(through.machine.traceHash);
			expect(resumed.kernel.statistics).toEqual(through.kernel.statistics);
		}
	});
});

describe('second-stage tables', () => {
	const RAM = PTE_R | PTE_W | PTE_X | PTE_U | PTE_A | PTE_D;

	/** What binding a table gives that a component builds in its pool. */
	function bind(build: (environment: ComponentEnvironment, run: number) => { root: bigint; vmid?: number }): string {
		let outcome = '';
		boot({
			components: [
				{
					name: 'monitor',
					priority: 1,
					pool: 2 * MEMORY,
					vcpus: [{ name: 'vcpu', priority: 1 }],
					create: (environment) => {
						const run = environment.pool.allocate(0x20_0000, 0x20_0000)!;
						const { root, vmid = 1 } = build(environment, run);
						const registers = { attach: () => {}, detach: () => {}, adopt: () => {} };
						try {
							environment.vcpus[0]!.bind(registers, encodeHgatp({ mode: MODE_SV39, vmid, root }));
							outcome = 'bound';
							const word = Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8);
							if (environment.pool.write(Number(root), word)) outcome += ', and can be written';
							expect(() => environment.pool.free(Number(root), 0x4000)).toThrow(RangeError);
							environment.vcpus[0]!.unbind();
							if (!environment.pool.write(Number(root), word)) outcome += ', and is never free again';
						} catch (error) {
							outcome = (error as Error).message;
						}
						return { state: undefined, restore: () => {} };
					},
				},
			],
		});
		return outcome;
	}

	function table(
		{ pool }: ComponentEnvironment,
		mappings: readonly { readonly address: bigint; readonly physical: bigint; readonly size: bigint }[],
	): bigint {
		const word = new Uint8Array(8);
		const view = new DataView(word.buffer);
		return buildPageTable(
			{
				allocateTable: (bytes) => {
					const at = pool.allocate(bytes, bytes);
					return at === undefined ? undefined : BigInt(at);
				},
				readPte: (at) => {
					pool.read(Number(at), word);
					return view.getBigUint64(0, true);
				},
				writePte: (at, value) => {
					view.setBigUint64(0, value, true);
					pool.write(Number(at), word);
				},
			},
			SV39X4,
			mappings.map((mapping) => ({ ...mapping, flags: RAM })),
		).root;
	}

	const map = (run: number, size: bigint) => ({ address: 0x8000_0000n, physical: BigInt(run), size });

	test('are bound, and frozen while they are, where they show what is the pool’s', () => {
		expect(bind((environment, run) => ({ root: table(environment, [map(run, 0x20_0000n)]) }))).toBe('bound');
		expect(bind((environment, run) => ({ root: table(environment, [map(run, 0x3000n)]) }))).toBe('bound');
	});

	test('are refused where they show memory of others, a device, or themselves', () => {
		const shows = (mapping: { address: bigint; physical: bigint; size: bigint }): string =>
			bind((environment) => ({ root: table(environment, [mapping]) }));
		for (const [physical, size] of [
			[0x8000_0000n, 0x1000n],
			[0x1000_0000n, 0x1000n],
			[0x8000_0000n, 0x4000_0000n],
			[0xffff_ffff_f000n, 0x1000n],
		] as const)
			expect(shows({ address: 0x8000_0000n, physical, size })).toMatch(/not the pool's/);
		expect(
			bind((environment, run) => {
				const root = table(environment, [map(run, 0x1000n)]);
				// The leaf table, from which the first page of the run is shown, shows the root.
				const root2 = table(environment, [{ address: 0x8000_0000n, physical: root, size: 0x1000n }]);
				expect(Number(root2)).not.toBe(Number(root));
				const entry = new Uint8Array(8);
				environment.pool.read(Number(root2) + 16, entry);
				environment.pool.write(Number(root) + 24, entry);
				return { root };
			}),
		).toMatch(/could write it/);
	});

	test('are refused where the root is nowhere, a table is used twice, or bits are set that mean nothing here', () => {
		expect(bind(() => ({ root: 0x1000_0000n }))).toMatch(/not the pool's/);
		const twice = (offset: number, change: (word: Uint8Array) => void): string =>
			bind((environment, run) => {
				const root = table(environment, [map(run, 0x1000n)]);
				const entry = new Uint8Array(8);
				environment.pool.read(Number(root) + 16, entry);
				change(entry);
				environment.pool.write(Number(root) + offset, entry);
				return { root };
			});
		expect(twice(32, () => {})).toMatch(/used twice/);
		expect(
			twice(16, (word) => {
				word[7]! |= 0x80;
			}),
		).toMatch(/reserved bits/);
	});

	test('two components do not share a VMID', () => {
		const description = [guest('a', elf, 1, 1), guest('b', elf, 1, 1)];
		expect(() => boot({ components: description })).toThrow(/VMID 1/);
	});
});
