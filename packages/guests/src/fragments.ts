/**
 * Pieces of assembly that the guests share: the report area, and work that takes a known number of instructions.
 */
import { REPORT_MAGIC, TASK_BYTES, TaskField } from './report-area.ts';

/** A task as a guest is told of it. */
export interface TaskParameters {
	/** At most 16 ASCII characters. */
	readonly name: string;
	/** Nanoseconds between releases, a multiple of 100. */
	readonly period: number;
	/** Instructions of work in each job. */
	readonly work: number;
	/** Nanoseconds from release to deadline; default: the period. */
	readonly deadline?: number;
	/** Response times to keep; default 4096. */
	readonly samples?: number;
}

/** A task that always has work. */
export interface BusyParameters {
	readonly name: string;
	/** Instructions of one round of work, after which its count goes up. */
	readonly work: number;
}

/** Nanoseconds of a tick of mtime. */
const TICK = 100;
const DEFAULT_SAMPLES = 4096;

/** Ticks of a time that must be a whole number of them. */
export function ticks(what: string, nanos: number): number {
	if (!Number.isSafeInteger(nanos) || nanos <= 0 || nanos % TICK !== 0)
		throw new RangeError(`${what}: ${nanos} ns is not a positive multiple of ${TICK} ns`);
	return nanos / TICK;
}

/** Iterations of the work loop, whose body is two instructions. */
export function iterations(what: string, work: number): number {
	if (!Number.isSafeInteger(work) || work < 2)
		throw new RangeError(`${what}: work of ${work} instructions: at least 2`);
	return Math.floor(work / 2);
}

/**
 * The report area with one record for each task; labels `report_area`, `task0`, `task1`, … and `samples0`, ….
 * @param tasks - a task without a period is a busy one
 */
export function reportArea(tasks: readonly (TaskParameters | BusyParameters)[]): string {
	const records = tasks.map((task, index) => {
		if (!/^[\x20-\x7e]{1,16}$/.test(task.name)) throw new RangeError(`task name ${JSON.stringify(task.name)}`);
		const name = task.name.replaceAll('\\', '\\\\').replaceAll('"', '\\"');
		const periodic = 'period' in task;
		const period = periodic ? ticks(`${task.name}: period`, task.period) : 0;
		const deadline = periodic ? ticks(`${task.name}: deadline`, task.deadline ?? task.period) : 0;
		const capacity = periodic ? (task.samples ?? DEFAULT_SAMPLES) : 0;
		return `
task${index}:
	.ascii "${name}"
	.zero ${16 - task.name.length}
	.dword ${period}, ${deadline}, 0, 0, 0, samples${index} - report_area, ${capacity}, 0`;
	});
	const samples = tasks.map((task, index) => {
		const capacity = 'period' in task ? (task.samples ?? DEFAULT_SAMPLES) : 0;
		return `
samples${index}:
	.zero ${Math.max(capacity * 4, 4)}`;
	});
	return `
	.data
	.balign 8
	.globl report_area
report_area:
	.dword ${REPORT_MAGIC}, ${tasks.length}
${records.join('')}
${samples.join('')}
`;
}

/** Spends `2 * count` instructions and two to begin with; uses t0. */
export function spend(count: number): string {
	return `
	li t0, ${count}
77:	addi t0, t0, -1
	bnez t0, 77b`;
}

/**
 * Notes that the job released at tick \`s0\` is complete: counts it, keeps its response time, counts a miss.
 * \`s1\` is the task's record; uses t0 to t3.
 */
export const noteCompletion = `
	rdtime t0
	sub t0, t0, s0
	ld t1, ${TaskField.completed}(s1)
	addi t1, t1, 1
	sd t1, ${TaskField.completed}(s1)
	ld t1, ${TaskField.deadline}(s1)
	bgeu t1, t0, 78f
	ld t1, ${TaskField.missed}(s1)
	addi t1, t1, 1
	sd t1, ${TaskField.missed}(s1)
78:	ld t1, ${TaskField.count}(s1)
	ld t2, ${TaskField.capacity}(s1)
	bgeu t1, t2, 79f
	addi t2, t1, 1
	sd t2, ${TaskField.count}(s1)
	la t2, report_area
	ld t3, ${TaskField.samples}(s1)
	add t2, t2, t3
	slli t1, t1, 2
	add t2, t2, t1
	sw t0, 0(t2)
79:`;

/** Adds one to a field of the record in `s1`; uses t1. */
export function increment(field: number): string {
	return `
	ld t1, ${field}(s1)
	addi t1, t1, 1
	sd t1, ${field}(s1)`;
}

/** Bytes of a task's record, for programs with several. */
export { TASK_BYTES };
