// What is observed of a run: a hash that identifies it, events and where they go, distributions and counts.
// Knows nothing of what is observed, and opens no files: text and bytes go out through callbacks.

export { ChromeTraceWriter } from './chrome.ts';
export { Counters, type CountersState } from './counters.ts';
export { TraceHash, type TraceHashState } from './hash.ts';
export { Histogram, type HistogramState, type HistogramSummary } from './histogram.ts';
export { LINKTYPE_ETHERNET, type PcapOptions, PcapWriter } from './pcap.ts';
export {
	type CompleteEvent,
	type CounterEvent,
	type FlowEvent,
	type InstantEvent,
	nullSink,
	RingBufferSink,
	type RingBufferState,
	type SliceEvent,
	type TraceArgs,
	type TraceEvent,
	type TraceEventBase,
	type TraceSink,
	tee,
} from './sink.ts';
