/** Names for addresses: the other direction of a symbol map. */

/** A symbol by its address. */
export interface NamedAddress {
	/** The symbol's name. */
	readonly name: string;
	/** Its address. */
	readonly address: bigint;
}

/** Finds the symbol that an address belongs to. */
export interface SymbolNames {
	/** The symbol at the greatest address that is not above this one; undefined if all are above. */
	nearest(address: bigint): NamedAddress | undefined;
}

/** Orders symbols by address, once, so that each look-up is a binary search. Of several at one address, the first. */
export function symbolNames(symbols: ReadonlyMap<string, bigint>): SymbolNames {
	const ordered: NamedAddress[] = [];
	const known = new Set<bigint>();
	for (const [name, address] of symbols) {
		if (!known.has(address)) ordered.push({ name, address });
		known.add(address);
	}
	ordered.sort((a, b) => (a.address < b.address ? -1 : 1));
	return {
		nearest(address) {
			let low = 0;
			let high = ordered.length;
			while (low < high) {
				const middle = (low + high) >>> 1;
				if (ordered[middle]!.address <= address) low = middle + 1;
				else high = middle;
			}
			return ordered[low - 1];
		},
	};
}
