// What is observed of a run: a hash that identifies it.

export { TraceHash, type TraceHashState } from './hash.ts';
