/**
 * The report area: where a guest program writes down what its tasks did, in its own memory, so that measuring costs no
 * exits. Whoever runs it finds the area by the symbol `report_area` and reads it when the run is over.
 *
 * ```
 *  0  magic     8  tasks
 * 16  task 0: name (16 B), period, deadline, released, completed, missed, samples offset, capacity, count (8 B each)
 * 96  task 1 ...
 *  …  samples: response times, u32, in ticks of mtime (100 ns)
 * ```
 * All numbers are little-endian; times are in ticks. When `count` reaches `capacity` no more samples are kept, while the
 * other counts go on.
 */

/** First word of a report area: "PTITRPT1" in ASCII. */
export const REPORT_MAGIC = 0x3154_5052_5449_5450n;
/** Bytes before the first task. */
export const REPORT_HEADER = 16;
/** Bytes of a task's record. */
export const TASK_BYTES = 80;

/** Offsets in a task's record. */
export const TaskField = {
	name: 0,
	period: 16,
	deadline: 24,
	released: 32,
	completed: 40,
	missed: 48,
	samples: 56,
	capacity: 64,
	count: 72,
} as const;

/** What a task did. Times are in ticks of mtime. */
export interface TaskReport {
	readonly name: string;
	/** 0 for a task without a period: then `completed` counts its rounds of work. */
	readonly period: number;
	readonly deadline: number;
	readonly released: number;
	readonly completed: number;
	readonly missed: number;
	/** Response times, from release to completion, in order. */
	readonly responses: Uint32Array;
}

/** Tasks that an area may have; more is damage. */
const MOST_TASKS = 64;
/** Samples that a task may have kept; more is damage. */
const MOST_SAMPLES = 0x100_0000;

/**
 * Reads a report area.
 * @param read - copies guest memory from `offset` of the area on; false where there is none
 * @returns undefined where there is no (valid) area: the guest may have overwritten it
 */
export function readReportArea(read: (offset: number, into: Uint8Array) => boolean): TaskReport[] | undefined {
	const header = new Uint8Array(REPORT_HEADER);
	if (!read(0, header)) return undefined;
	const view = new DataView(header.buffer);
	if (view.getBigUint64(0, true) !== REPORT_MAGIC) return undefined;
	const tasks = view.getBigUint64(8, true);
	if (tasks > BigInt(MOST_TASKS)) return undefined;
	const reports: TaskReport[] = [];
	for (let task = 0; task < Number(tasks); task++) {
		const record = new Uint8Array(TASK_BYTES);
		if (!read(REPORT_HEADER + task * TASK_BYTES, record)) return undefined;
		const fields = new DataView(record.buffer);
		const number = (offset: number): number => Number(fields.getBigUint64(offset, true));
		const count = number(TaskField.count);
		if (count > number(TaskField.capacity) || count > MOST_SAMPLES) return undefined;
		if (!Object.values(TaskField).every((field) => field === TaskField.name || Number.isSafeInteger(number(field)))) {
			return undefined;
		}
		const bytes = new Uint8Array(count * 4);
		if (!read(number(TaskField.samples), bytes)) return undefined;
		reports.push({
			name: new TextDecoder().decode(record.subarray(0, 16)).replace(/\0+$/, ''),
			period: number(TaskField.period),
			deadline: number(TaskField.deadline),
			released: number(TaskField.released),
			completed: number(TaskField.completed),
			missed: number(TaskField.missed),
			responses: new Uint32Array(bytes.buffer),
		});
	}
	return reports;
}
