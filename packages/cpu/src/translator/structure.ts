/**
 * Control flow of a region as nested loops: WebAssembly has no jumps. Strongly connected components are loops; what they
 * hold without the edges to their headers is structured in turn. Between them order is topological, so that every other
 * edge goes forward.
 */

/** Something in a scope: one block, or a loop. */
export type Item = { readonly kind: 'block'; readonly block: number } | Loop;

/** A loop. Edges to its headers begin a new round. */
export interface Loop {
	readonly kind: 'loop';
	/** One, or more where the loop is irreducible. */
	readonly headers: readonly number[];
	/** All blocks in it. */
	readonly blocks: ReadonlySet<number>;
	readonly body: readonly Item[];
}

/** Structures a graph of which all nodes are to appear. `successors` by node; nodes are numbered by their place in it. */
export function structure(successors: readonly (readonly number[])[], order: readonly number[]): readonly Item[] {
	return scope(new Set(order), new Set(), successors, order);
}

function scope(
	nodes: ReadonlySet<number>,
	cut: ReadonlySet<number>,
	successors: readonly (readonly number[])[],
	order: readonly number[],
): Item[] {
	const components = stronglyConnected(nodes, cut, successors, order);
	const componentOf = new Map<number, number>();
	components.forEach((component, i) => {
		for (const node of component) componentOf.set(node, i);
	});
	const headers = components.map(() => new Set<number>());
	for (const node of nodes) {
		for (const next of successors[node]!) {
			if (!nodes.has(next) || cut.has(next)) continue;
			const to = componentOf.get(next)!;
			if (to !== componentOf.get(node)) headers[to]!.add(next);
		}
	}
	return components.map((component, i) => {
		const [only] = component;
		const alone = component.length === 1 && (cut.has(only!) || !successors[only!]!.includes(only!));
		if (alone) return { kind: 'block', block: only! };
		const blocks = new Set(component);
		const found = headers[i]!.size > 0 ? [...headers[i]!] : [naturalHeader(component, blocks, successors, order)];
		return { kind: 'loop', headers: found, blocks, body: scope(blocks, new Set(found), successors, found) };
	});
}

/** The header of a loop that nothing leads into: the first of its blocks, in the order given, that one behind leads to. */
function naturalHeader(
	component: readonly number[],
	blocks: ReadonlySet<number>,
	successors: readonly (readonly number[])[],
	order: readonly number[],
): number {
	const rank = new Map(order.map((node, i) => [node, i]));
	const rankOf = (node: number): number => rank.get(node) ?? order.length;
	let best = component[0]!;
	let found = false;
	for (const node of component) {
		for (const next of successors[node]!) {
			if (!blocks.has(next) || rankOf(next) > rankOf(node)) continue;
			if (!found || rankOf(next) < rankOf(best)) best = next;
			found = true;
		}
	}
	return best;
}

/** Components in topological order (Tarjan 1972), without the edges to `cut`. `order` comes first in the search. */
function stronglyConnected(
	nodes: ReadonlySet<number>,
	cut: ReadonlySet<number>,
	successors: readonly (readonly number[])[],
	order: readonly number[],
): number[][] {
	const index = new Map<number, number>();
	const low = new Map<number, number>();
	const open = new Set<number>();
	const stack: number[] = [];
	const found: number[][] = [];
	const visit = (node: number): void => {
		const here = index.size;
		index.set(node, here);
		low.set(node, here);
		stack.push(node);
		open.add(node);
		for (const next of successors[node]!) {
			if (!nodes.has(next) || cut.has(next)) continue;
			if (!index.has(next)) {
				visit(next);
				low.set(node, Math.min(low.get(node)!, low.get(next)!));
			} else if (open.has(next)) low.set(node, Math.min(low.get(node)!, index.get(next)!));
		}
		if (low.get(node) !== here) return;
		const component: number[] = [];
		let member: number;
		do {
			member = stack.pop()!;
			open.delete(member);
			component.push(member);
		} while (member !== node);
		found.push(component);
	};
	for (const node of order) if (nodes.has(node) && !index.has(node)) visit(node);
	for (const node of nodes) if (!index.has(node)) visit(node);
	return found.reverse();
}

/** Every loop, outer ones first. */
export function* loopsOf(items: readonly Item[]): Generator<Loop> {
	for (const item of items) {
		if (item.kind !== 'loop') continue;
		yield item;
		yield* loopsOf(item.body);
	}
}
