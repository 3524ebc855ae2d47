/** How the first objects of a kernel are made: by a boot module, which is given the kernel's parts once. */
import type { KernelBoard } from '@partita/machine';
import type { HostedThreads } from '../hosted.ts';
import type { KernelParts } from '../parts.ts';
import type { SystemCalls } from '../system-calls.ts';

/** What a boot module is given. */
export interface BootContext {
	readonly parts: KernelParts;
	readonly board: KernelBoard;
	readonly calls: SystemCalls;
	/** Memory that is nobody's yet: whole pages. */
	readonly memory: { readonly base: number; readonly size: number };
}

/**
 * Makes what there is when the first thread runs. Throws a `MicrokernelError` for what cannot be.
 * @returns who runs threads that are no programs, if there are any
 */
export type BootModule = (context: BootContext) => HostedThreads | undefined;
