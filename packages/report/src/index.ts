/**
 * What a run of a system says, and how two runs differ: records, tables, JSON, time lines. Knows nothing of how it was run.
 *
 * @packageDocumentation
 */
export { formatBytes, formatCount, formatNanos, formatShare } from './format.ts';
export { summariseLatency } from './latency.ts';
export {
	BASIS,
	type Basis,
	type CellRecord,
	type ComparisonRecord,
	compareRuns,
	type EntityRecord,
	type KernelRecord,
	type LatencySummary,
	type LinkedGroup,
	RECORD_SCHEMA,
	type RunRecord,
	recordJson,
	type TaskRecord,
} from './record.ts';
export { ANSI, PLAIN, type Style } from './table.ts';
export { renderComparison, renderRun } from './text.ts';
export { Timeline, type TimelineOptions, type TrackNames } from './timeline.ts';
