/**
 * A record, or several side by side, as text for a terminal: deadlines and response times, processor time, what the kernel
 * did, footprint, and whom each cell must trust. Figures that depend on modelled costs carry a `~`.
 */
import { formatBytes, formatCount, formatNanos, formatShare } from './format.ts';
import type { CellRecord, ComparisonRecord, LinkedGroup, RunRecord, TaskRecord } from './record.ts';
import { type Column, PLAIN, printable, renderTable, type Style, type TableCell } from './table.ts';

const right = (title: string): Column => ({ title, align: 'right' });
const left = (title: string): Column => ({ title });

/** One run as text, with a line feed at its end. */
export function renderRun(run: RunRecord, style: Style = PLAIN): string {
	return render([run], style);
}

/** Runs side by side as text, with a line feed at its end. */
export function renderComparison(comparison: ComparisonRecord, style: Style = PLAIN): string {
	return render(comparison.runs, style);
}

function render(runs: readonly RunRecord[], style: Style): string {
	const sections = [
		heading(runs, style),
		tasks(runs, style),
		processor(runs, style),
		kernel(runs, style),
		footprint(runs, style),
		trust(runs, style),
		legend(runs, style),
	];
	return `${sections
		.filter((lines) => lines.length > 0)
		.map((lines) => lines.join('\n'))
		.join('\n\n')}\n`;
}

function section(
	title: string,
	columns: readonly Column[],
	rows: readonly (readonly TableCell[])[],
	style: Style,
): string[] {
	return rows.length === 0 ? [] : [style.bold(title), ...renderTable(columns, rows, style)];
}

function heading(runs: readonly RunRecord[], style: Style): string[] {
	const [first] = runs;
	const lines = [style.bold(`${first!.system}: ${formatNanos(first!.nanos)} of virtual time`)];
	for (const { composition, policy, costs, traceHash } of runs)
		lines.push(`  ${composition}: policy ${policy}, kernel costs ${costs.name}, trace ${traceHash}`);
	return lines;
}

/** Names of cells, or of tasks of a cell, in the order in which they first occur in any run. */
function inOrder(runs: readonly RunRecord[], names: (cell: CellRecord) => readonly string[]): string[] {
	return [...new Set(runs.flatMap(({ cells }) => cells.flatMap(names)))];
}

/** The first row of a group names it; the others are blank there. */
function grouped(rows: readonly (readonly TableCell[])[], titles: number): (readonly TableCell[])[] {
	return rows.map((row, index) =>
		index === 0 ? row : row.map((cell, column) => (column < titles && cell === rows[0]![column] ? '' : cell)),
	);
}

function tasks(runs: readonly RunRecord[], style: Style): string[] {
	const columns = [
		left('cell'),
		left('task'),
		left('composition'),
		right('jobs'),
		right('missed ~'),
		right('min ~'),
		right('median ~'),
		right('99.9 % ~'),
		right('max ~'),
	];
	const rows = inOrder(runs, (cell) => cell.tasks.map((task) => `${cell.name}\0${task.name}`)).flatMap((key) => {
		const [cellName, taskName] = key.split('\0');
		const group = runs.flatMap(({ composition, cells }) => {
			const task = cells.find(({ name }) => name === cellName)?.tasks.find(({ name }) => name === taskName);
			if (!task) return [];
			return [[printable(cellName!), printable(taskName!), composition, ...taskFigures(task)]];
		});
		return grouped(group, 2);
	});
	return section('Deadlines and response times', columns, rows, style);
}

function taskFigures(task: TaskRecord): TableCell[] {
	const { period, completed, missed, latency } = task;
	if (period === undefined) return [`${formatCount(completed)} rounds`];
	const misses: TableCell = missed > 0 ? { text: formatCount(missed), style: 'bad' } : '0';
	if (!latency) return [formatCount(completed), misses];
	const { min, median, p999, max } = latency;
	return [formatCount(completed), misses, ...[min, median, p999, max].map(formatNanos)];
}

const PLACEMENTS = { vm: 'virtual machine', domains: 'native', none: 'absent' } as const;

function sum(values: Iterable<number>): number {
	let total = 0;
	for (const value of values) total += value;
	return total;
}

function processor(runs: readonly RunRecord[], style: Style): string[] {
	const columns = [
		left('cell'),
		left('composition'),
		left('exists as'),
		right('CPU'),
		right('share'),
		right('dispatches'),
		right('preemptions'),
		left('state'),
	];
	const rows = inOrder(runs, ({ name }) => [name]).flatMap((name) => {
		const group = runs.flatMap(({ composition, cells, nanos }): TableCell[][] => {
			const cell = cells.find((each) => each.name === name);
			if (!cell) return [];
			const start = [printable(name), composition, PLACEMENTS[cell.placement]];
			if (cell.placement === 'none') return [start];
			const run = sum(cell.entities.map(({ runNanos }) => runNanos));
			return [
				[
					...start,
					formatNanos(run),
					formatShare(run, nanos),
					formatCount(sum(cell.entities.map(({ dispatches }) => dispatches))),
					formatCount(sum(cell.entities.map(({ preemptions }) => preemptions))),
					state(cell),
				],
			];
		});
		return grouped(group, 1);
	});
	const rest = (title: string, nanos: (run: RunRecord) => number): (readonly TableCell[])[] =>
		grouped(
			runs.map((run) => [title, run.composition, '', formatNanos(nanos(run)), formatShare(nanos(run), run.nanos)]),
			1,
		);
	rows.push(...rest('kernel ~', ({ kernel: { nanos } }) => nanos));
	rows.push(...rest('idle ~', ({ kernel: { idleNanos } }) => idleNanos));
	return section('Processor time', columns, rows, style);
}

function state(cell: CellRecord): TableCell {
	const fault = cell.entities.find((entity) => entity.fault !== undefined);
	if (fault) return { text: `${printable(fault.name)}: ${printable(fault.fault!)}`, style: 'bad' };
	if (cell.ending !== undefined) return { text: printable(cell.ending), style: 'bad' };
	return [...new Set(cell.entities.map(({ status }) => status))].join(', ');
}

function kernel(runs: readonly RunRecord[], style: Style): string[] {
	const columns = [left(''), ...runs.map(({ composition }) => right(composition))];
	const row = (title: string, value: (run: RunRecord) => string): string[] => [title, ...runs.map(value)];
	const kinds = (of: (run: RunRecord) => Readonly<Record<string, number>>): string[] => [
		...new Set(runs.flatMap((run) => Object.keys(of(run)))),
	];
	const table = (title: string, of: (run: RunRecord) => Readonly<Record<string, number>>): string[][] =>
		kinds(of)
			.filter((kind) => runs.some((run) => (of(run)[kind] ?? 0) > 0))
			.map((kind) =>
				row(`${title}: ${kind}`, (run) => (of(run)[kind] === undefined ? '-' : formatCount(of(run)[kind]!))),
			);
	const rows = [
		row('entries', (run) => formatCount(run.kernel.entries)),
		row('entries for the timer', (run) => formatCount(run.kernel.timerEntries)),
		row('context switches', (run) => formatCount(run.kernel.contextSwitches)),
		...table('exits', (run) => run.kernel.exits),
		...table('IPC', (run) => run.kernel.ipc),
		row('time ~', (run) => formatNanos(run.kernel.nanos)),
		row('time for each entry ~', (run) =>
			run.kernel.entries === 0 ? '-' : formatNanos(Math.round(run.kernel.nanos / run.kernel.entries)),
		),
	];
	return section('Kernel', columns, rows, style);
}

function footprint(runs: readonly RunRecord[], style: Style): string[] {
	const columns = [left('memory'), ...runs.flatMap(({ composition }) => [right(composition), right('touched')])];
	const rows: TableCell[][] = inOrder(runs, ({ name }) => [name]).map((name) => [
		printable(name),
		...runs.flatMap(({ cells }) => {
			const cell = cells.find((each) => each.name === name);
			if (!cell || cell.placement === 'none') return ['-', '-'];
			return [formatBytes(cell.memory.reserved), formatBytes(cell.memory.touched)];
		}),
	]);
	return section('Footprint', columns, rows, style);
}

function groupBytes(group: LinkedGroup): number {
	return sum(group.packages.map(({ bytes }) => bytes));
}

function trust(runs: readonly RunRecord[], style: Style): string[] {
	const measured = runs.filter(({ linked }) => linked !== undefined);
	const rows = measured.flatMap(({ composition, linked }) =>
		grouped(
			linked!.flatMap((group) => [
				[
					composition,
					group.name,
					group.runs === 'privileged' ? 'privileged' : 'protection domain',
					'all',
					formatBytes(groupBytes(group)),
				],
				...group.packages.map((each) => ['', '', '', each.name, formatBytes(each.bytes)]),
			]),
			1,
		),
	);
	const columns = [left('composition'), left('group'), left('runs as'), left('package'), right('linked')];
	const code = section('Linked code', columns, rows, style);
	const cells = inOrder(measured, ({ name }) => [name]).flatMap((name) =>
		grouped(
			measured.flatMap(({ composition, cells: all, linked }) => {
				const cell = all.find((each) => each.name === name);
				if (!cell || cell.placement === 'none') return [];
				const groups = linked!.filter((group) => cell.trusts.includes(group.name));
				const total = sum(groups.map(groupBytes));
				return [[printable(name), composition, groups.map((group) => group.name).join(' + '), formatBytes(total)]];
			}),
			1,
		),
	);
	const relation = section(
		'Trusted computing base',
		[left('cell'), left('composition'), left('must trust'), right('linked')],
		cells,
		style,
	);
	return relation.length === 0 ? code : [...relation, '', ...code];
}

function legend(runs: readonly RunRecord[], style: Style): string[] {
	const costs = new Map(runs.map((run) => [run.costs.name, run.costs.source]));
	return [
		'~  depends on modelled costs of kernel operations; all other figures are counted.',
		...Array.from(costs, ([name, source]) => `   ${name}: ${source}`),
		...(runs.some(({ linked }) => linked)
			? ["   Linked code is minified; the machine is hardware and in nobody's base."]
			: []),
	].map((line) => style.dim(line));
}
