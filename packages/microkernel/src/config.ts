/**
 * What a microkernel is made of: what boots on it, and a policy, costs and a binary interface, which are injected. What the
 * first objects are is a boot module's: boot/static.ts builds them from a description, boot/root-task.ts starts one program
 * that builds them itself.
 */
import type { CostProfile } from '@partita/kernel-costs';
import type { SchedulingContexts, SchedulingPolicy } from '@partita/sched';
import type { BootModule } from './boot/boot.ts';
import type { AbiProfile } from './profile.ts';
import type { KernelTrace } from './trace.ts';

/** A policy that the kernel can run on: `FixedPriority` of `@partita/sched` fits. */
export interface KernelPolicy extends SchedulingPolicy, SchedulingContexts {}

/** What a microkernel is made of. */
export interface MicrokernelConfig {
	/** Makes what there is when the first thread starts: `staticSystem`, `rootTask`, or one of your own. */
	readonly boot: BootModule;
	/** Of this kernel alone: fresh. */
	readonly policy: KernelPolicy;
	/** What kernel work costs. */
	readonly costs: CostProfile;
	/** The binary interface; default `SEL4_MCS_16`. */
	readonly profile?: AbiProfile;
	/** Memory that boot modules give out; default: all RAM. */
	readonly memory?: { readonly base: number; readonly size: number };
	/** Sees what threads print with the debug calls; default: the board's console. */
	readonly onDebug?: (thread: string, byte: number) => void;
	readonly trace?: KernelTrace;
}

/** A description that cannot be: where, and why. */
export class MicrokernelError extends Error {
	/** The place in the description. */
	readonly place: string;

	constructor(place: string, why: string) {
		super(`${place}: ${why}`);
		this.name = 'MicrokernelError';
		this.place = place;
	}
}
