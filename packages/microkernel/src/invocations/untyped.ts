/** Untyped_Retype. */
import { destinationNode } from '@partita/capability';
import { DONE, extraCapability, has, ILLEGAL, type Invocation, num, type Outcome, TRUNCATED } from '../invocation.ts';
import type { InvocationName } from '../profile.ts';

export function invokeUntyped(invocation: Invocation, name: InvocationName): Outcome {
	if (name !== 'UntypedRetype') return ILLEGAL;
	if (!has(invocation, 6, 1)) return TRUNCATED;
	const { parts, words, capability } = invocation;
	const [type, sizeBits, index = 0n, depth, offset, count] = words;
	const node = destinationNode(parts.space, {
		root: extraCapability(invocation, 0),
		pointer: index,
		depth: num(depth),
	});
	if (typeof node !== 'number') return node;
	parts.core.pay('retype');
	return (
		parts.space.retype({
			untyped: capability,
			type: num(type),
			sizeBits: num(sizeBits),
			node,
			offset: num(offset),
			count: num(count),
		}) ?? DONE
	);
}
