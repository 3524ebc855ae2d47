// Guests for tests: images of @partita/guests, and programs in assembly, as VMs.
import { readReportArea, realTimeGuest, type TaskParameters, type TaskReport } from '@partita/guests';
import { type Machine, placeImage, type RunResult } from '@partita/machine';
import { assemble, elfSymbolMap, programToElf, readElf } from '@partita/riscv';
import type { EntityParameters } from '@partita/sched';
import type { Hypervisor, VmConfig } from '../../src/index.ts';

const BASE = 0x8000_0000;

/** A VM and its ELF file. */
export interface TestVm {
	readonly config: VmConfig<EntityParameters>;
	readonly elf: Uint8Array;
}

/** A VM that runs an ELF file linked at 0x8000_0000. */
export function vmOf(
	name: string,
	elf: Uint8Array,
	schedule: EntityParameters,
	more: Partial<VmConfig<EntityParameters>> = {},
): TestVm {
	const { parts, entry } = placeImage(name, elf, BASE, BASE);
	return { elf, config: { name, memory: { base: BASE, size: 2 << 20 }, boot: { parts, entry }, schedule, ...more } };
}

/** The real-time guest, with or without a background task. */
export function realTimeVm(task: TaskParameters, schedule: EntityParameters, background = false): TestVm {
	const elf = realTimeGuest({
		control: task,
		...(background ? { background: { name: 'background', work: 1_000 } } : {}),
	});
	return vmOf(task.name, elf, schedule);
}

/** A VM whose program is assembly. */
export function assemblyVm(
	name: string,
	source: string,
	schedule: EntityParameters,
	more: Partial<VmConfig<EntityParameters>> = {},
): TestVm {
	return vmOf(
		name,
		programToElf(assemble(`.text\n.globl _start\n_start:\n${source}\n`, { base: BigInt(BASE) })),
		schedule,
		more,
	);
}

/** What a guest's tasks did. */
export function tasksOf(kernel: Hypervisor<EntityParameters>, { config, elf }: TestVm): TaskReport[] {
	const area = Number(elfSymbolMap(readElf(elf)).get('report_area'));
	const tasks = readReportArea((offset, into) => kernel.memory(config.name).read(area + offset, into));
	if (!tasks) throw new Error(`${config.name}: no report area`);
	return tasks;
}

/** Instructions that a run may go on for when time asleep has brought it close to its end. */
const STEP = 10_000;

/** Runs up to a virtual time, or a little beyond: time asleep is not counted in instructions. */
export function runUntil(machine: Machine, nanos: number): RunResult {
	for (;;) {
		const result = machine.run(STEP, { idleUntil: nanos });
		if (result.reason === 'ended' || machine.now() >= nanos) return result;
	}
}
