/** Methods of CNodes. */
import {
	cnodeCopy,
	cnodeMint,
	cnodeMove,
	cnodeMutate,
	cnodeRotate,
	lookupSlot,
	ObjectKind,
	Rights,
	type SlotAddress,
} from '@partita/capability';
import { DONE, extraCapability, has, ILLEGAL, type Invocation, num, type Outcome, TRUNCATED } from '../invocation.ts';
import type { InvocationName } from '../profile.ts';

/** Capabilities that one step of a removal takes away: CONFIG_MAX_NUM_WORK_UNITS_PER_PREEMPTION. */
const STEP = 100;

export function invokeCNode(invocation: Invocation, name: InvocationName): Outcome {
	const { parts, capability, words } = invocation;
	const { space, core } = parts;
	if (!name.startsWith('CNode')) return ILLEGAL;
	if (!has(invocation, 2)) return TRUNCATED;
	const [index = 0n, depth] = words;
	const own: SlotAddress = { root: capability, pointer: index, depth: num(depth) };
	core.pay('capabilityOperation');
	const other = (at: number, capabilityIndex: number): SlotAddress => ({
		root: extraCapability(invocation, capabilityIndex),
		pointer: words[at] ?? 0n,
		depth: num(words[at + 1]),
	});
	switch (name) {
		case 'CNodeRevoke':
		case 'CNodeDelete': {
			const slot = lookupSlot(space, own, false);
			if (typeof slot !== 'number') return slot;
			const progress = name === 'CNodeRevoke' ? space.revokeStep(slot, STEP) : space.deleteStep(slot, STEP);
			return progress === 'done' ? DONE : 'again';
		}
		case 'CNodeCancelBadgedSends': {
			const slot = lookupSlot(space, own, false);
			if (typeof slot !== 'number') return slot;
			const target = space.at(slot);
			if (target === 0 || space.kind(target) !== ObjectKind.Endpoint || space.rights(target) !== Rights.All)
				return ILLEGAL;
			if (space.word(target) !== 0n) parts.ipc.cancelBadgedSends(space.object(target), space.word(target));
			return DONE;
		}
		case 'CNodeCopy':
			if (!has(invocation, 5, 1)) return TRUNCATED;
			return cnodeCopy(space, own, other(2, 0), rightsOf(words[4]!)) ?? DONE;
		case 'CNodeMint':
			if (!has(invocation, 6, 1)) return TRUNCATED;
			return cnodeMint(space, own, other(2, 0), rightsOf(words[4]!), words[5]!) ?? DONE;
		case 'CNodeMove':
			if (!has(invocation, 4, 1)) return TRUNCATED;
			return cnodeMove(space, own, other(2, 0)) ?? DONE;
		case 'CNodeMutate':
			if (!has(invocation, 5, 1)) return TRUNCATED;
			return cnodeMutate(space, own, other(2, 0), words[4]!) ?? DONE;
		case 'CNodeRotate': {
			if (!has(invocation, 8, 2)) return TRUNCATED;
			const pivot = other(3, 0);
			const from = other(6, 1);
			return cnodeRotate(space, own, words[2]!, pivot, words[5]!, from) ?? DONE;
		}
		default:
			return ILLEGAL;
	}
}

/** seL4_CapRights: write, read, grant, grant reply, as `Rights` has them. */
function rightsOf(word: bigint): number {
	return Number(word & 15n);
}
