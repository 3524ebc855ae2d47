/** Methods of SchedContext, SchedControl and Domain. Times of the interface are microseconds. */
import { type CapabilityId, ObjectKind } from '@partita/capability';
import { Blocked } from '@partita/ipc';
import type { ContextRecord } from '../context.ts';
import {
	DONE,
	extraCapability,
	has,
	ILLEGAL,
	type Invocation,
	invalidArgument,
	invalidCapability,
	num,
	type Outcome,
	rangeError,
	TRUNCATED,
} from '../invocation.ts';
import type { KernelParts } from '../parts.ts';
import type { InvocationName } from '../profile.ts';
import type { Thread } from '../thread.ts';

/** Least budget in microseconds: twice the kernel's longest path, as the RISC-V configurations have it. */
export const LEAST_BUDGET = 20;
/** Longest period in microseconds. */
const LONGEST_PERIOD = 2 ** 43;
/** seL4_CoreSchedContextBytes, seL4_RefillSizeBytes and the fewest refills. */
const CORE_BYTES = 128;
const REFILL_BYTES = 16;
const FEWEST_REFILLS = 2;
/** seL4_SchedContext_Sporadic. */
const SPORADIC = 1n;
/** What the policy takes. */
const MOST_REFILLS = 4096;

/** Refills of a context of 2^bits bytes: the fewest are within its core. */
export function refillsOf(bits: number): number {
	return Math.floor((2 ** bits - CORE_BYTES) / REFILL_BYTES) + FEWEST_REFILLS;
}

export function invokeSchedControl(invocation: Invocation, name: InvocationName): Outcome {
	if (name !== 'SchedControlConfigureFlags') return ILLEGAL;
	if (!has(invocation, 5, 1)) return TRUNCATED;
	const { parts, words } = invocation;
	const { space, core } = parts;
	const [budgetWord, periodWord, extraWord, badge = 0n, flags = 0n] = words;
	const target = extraCapability(invocation, 0);
	if (space.kind(target) !== ObjectKind.SchedContext) return invalidCapability(1);
	const context = core.contexts.get(space.object(target))!;
	const budget = num(budgetWord);
	const period = num(periodWord);
	const extra = num(extraWord);
	if (!(budget >= LEAST_BUDGET && budget <= LONGEST_PERIOD)) return rangeError(LEAST_BUDGET, LONGEST_PERIOD);
	if (!(period >= LEAST_BUDGET && period <= LONGEST_PERIOD)) return rangeError(LEAST_BUDGET, LONGEST_PERIOD);
	if (budget > period) return rangeError(LEAST_BUDGET, period);
	const most = refillsOf(context.bits);
	if (extra + FEWEST_REFILLS > most) return rangeError(0, most - FEWEST_REFILLS);
	core.configure(context, {
		badge,
		budget: budget * 1000,
		period: period * 1000,
		refills: Math.min(extra + FEWEST_REFILLS, MOST_REFILLS),
		rule: (flags & SPORADIC) !== 0n ? 'sporadic' : 'constant-bandwidth',
	});
	return DONE;
}

export function invokeSchedContext(invocation: Invocation, name: InvocationName): Outcome {
	const { parts, capability, thread } = invocation;
	const { core } = parts;
	const context = core.contexts.get(parts.space.object(capability))!;
	switch (name) {
		case 'SchedContextBind':
			return has(invocation, 0, 1) ? bind(invocation, context, extraCapability(invocation, 0)) : TRUNCATED;
		case 'SchedContextUnbindObject':
			return has(invocation, 0, 1) ? unbindObject(invocation, context, extraCapability(invocation, 0)) : TRUNCATED;
		case 'SchedContextUnbind':
			if (context.thread === thread.id) return ILLEGAL;
			parts.ipc.unbindContext(context.id);
			core.bind(0, context.id);
			return DONE;
		case 'SchedContextConsumed':
			return [microseconds(core.takeConsumed(context))];
		case 'SchedContextYieldTo':
			return yieldTo(parts, thread, context);
		default:
			return ILLEGAL;
	}
}

/** Consumed nanoseconds in the interface's unit. */
export function microseconds(nanos: number): bigint {
	return BigInt(Math.floor(nanos / 1000));
}

function bind({ parts }: Invocation, context: ContextRecord, target: CapabilityId): Outcome {
	const { space, core, ipc } = parts;
	const object = space.object(target);
	switch (space.kind(target)) {
		case ObjectKind.Tcb: {
			if (context.thread !== 0 || core.threads.get(object)!.context !== 0) return ILLEGAL;
			core.bind(object, context.id);
			return DONE;
		}
		case ObjectKind.Notification:
			return ipc.bindContext(context.id, object) ? DONE : ILLEGAL;
		default:
			return invalidCapability(1);
	}
}

function unbindObject({ parts, thread }: Invocation, context: ContextRecord, target: CapabilityId): Outcome {
	const { space, core, ipc } = parts;
	const object = space.object(target);
	switch (space.kind(target)) {
		case ObjectKind.Tcb:
			if (context.thread !== object || object === thread.id) return ILLEGAL;
			core.bind(0, context.id);
			return DONE;
		case ObjectKind.Notification:
			if (ipc.notificationOfContext(context.id) !== object) return ILLEGAL;
			ipc.unbindContext(context.id);
			return DONE;
		default:
			return invalidCapability(1);
	}
}

function yieldTo({ core, ipc }: KernelParts, thread: Thread, context: ContextRecord): Outcome {
	const target = core.threads.get(context.thread);
	if (!target || target === thread) return ILLEGAL;
	if (target.priority > thread.mcp) return ILLEGAL;
	if (target.status !== 'ready' || ipc.blockedOn(target.id) !== Blocked.None || target.priority < thread.priority)
		return [microseconds(core.takeConsumed(context))];
	core.takeConsumed(context);
	core.wakeFirst(target);
	if (target.priority === thread.priority) core.handOver(target.id);
	thread.yieldedTo = context.id;
	return 'silent';
}

export function invokeDomain(invocation: Invocation, name: InvocationName): Outcome {
	const { parts, words } = invocation;
	const { domains, space, core } = parts;
	switch (name) {
		case 'DomainSetSet': {
			if (!has(invocation, 1)) return TRUNCATED;
			const domain = num(words[0]! & 0xffn);
			if (domain >= domains.domains) return invalidArgument(0);
			if (!has(invocation, 1, 1)) return TRUNCATED;
			const target = extraCapability(invocation, 0);
			if (space.kind(target) !== ObjectKind.Tcb) return invalidArgument(1);
			core.threads.get(space.object(target))!.domain = domain;
			return DONE;
		}
		case 'DomainScheduleConfigure': {
			if (!has(invocation, 3)) return TRUNCATED;
			const index = num(words[0]);
			const domain = num(words[1]! & 0xffn);
			if (index >= domains.length) return rangeError(0, domains.length - 1);
			if (domain >= domains.domains) return invalidArgument(1);
			domains.set(index, { domain, duration: words[2]! });
			return DONE;
		}
		case 'DomainScheduleSetStart': {
			if (!has(invocation, 1)) return TRUNCATED;
			const index = num(words[0]);
			if (index >= domains.length) return rangeError(0, domains.length - 1);
			if (!domains.canStart(index)) return invalidArgument(0);
			domains.start(index);
			return DONE;
		}
		default:
			return ILLEGAL;
	}
}
