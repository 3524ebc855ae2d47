// Physical memory of the tests: 8-byte words that exist once written or allocated, and pages that can be denied.

import type { PageTableMemory, PageTableStore } from '../src/index.ts';

const PAGE_MASK = ~0xfffn;

export class SparseMemory implements PageTableStore {
	/** Word by address. */
	readonly words: Map<bigint, bigint> = new Map();
	/** Pages that exist. */
	readonly pages: Set<bigint> = new Set();
	/** Pages whose words cannot be read, as if PMP denied it. */
	readonly unreadable: Set<bigint> = new Set();
	/** Pages whose words cannot be updated. */
	readonly readOnly: Set<bigint> = new Set();
	/** Called before an update compares: another hart's chance. */
	beforeUpdate: ((address: bigint) => void) | undefined;
	private next: bigint;

	constructor(firstTable = 0x8000_0000n) {
		this.next = firstTable;
	}

	allocateTable(bytes: number): bigint {
		const size = BigInt(bytes);
		const address = (this.next + size - 1n) & ~(size - 1n);
		this.next = address + size;
		for (let page = address; page < this.next; page += 4096n) this.pages.add(page);
		return address;
	}

	readPte(address: bigint): bigint {
		return this.words.get(address) ?? 0n;
	}

	writePte(address: bigint, value: bigint): void {
		this.pages.add(address & PAGE_MASK);
		this.words.set(address, value);
	}

	/** The walker's view: reads fail where there is no memory. */
	get walked(): PageTableMemory {
		return {
			readPte: (address) => {
				if (address & 7n) throw new Error('PTE accesses are aligned');
				const page = address & PAGE_MASK;
				return this.pages.has(page) && !this.unreadable.has(page) ? this.readPte(address) : undefined;
			},
			updatePte: (address, expected, desired) => {
				this.beforeUpdate?.(address);
				const page = address & PAGE_MASK;
				if (!this.pages.has(page) || this.readOnly.has(page)) return 'fault';
				if (this.readPte(address) !== expected) return false;
				this.words.set(address, desired);
				return true;
			},
		};
	}
}
