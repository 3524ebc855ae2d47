/**
 * Physical memory protection as the TLB wants it: rights by page, worked out once after each change of the PMP registers.
 * The rules are `@partita/mmu`'s (pmp.ts); what they say of every page is found by asking them once for each range
 * between two bounds of entries. An access within a page that is divided is judged by them alone.
 */
import {
	type Access,
	PAGE_SIZE,
	PMP_R,
	PMP_W,
	PMP_X,
	type PmpState,
	pmpCheck,
	pmpRange,
	pmpRights,
} from '@partita/mmu';

/** Rights of a page, as bits of a pmpcfg byte, or {@link DIVIDED}. */
export type PageRights = number;

/** The bytes of the page have different rights. */
export const DIVIDED: PageRights = 8;
/** Everything is allowed. */
export const EVERYTHING: PageRights = PMP_R | PMP_W | PMP_X;

/** The right that a kind of access needs. */
const NEEDED: Readonly<Record<Access, number>> = { fetch: PMP_X, load: PMP_R, store: PMP_W };

/** Physical pages whose addresses are exact as numbers: 2^40, a physical address below 2^52. */
const PAGES = 2 ** 40;

/** A run of pages. */
export interface PageRun {
	readonly first: number;
	/** Last plus one. */
	readonly end: number;
	readonly rights: PageRights;
}

/** What the PMP registers allow. */
export class Protection {
	readonly #pmp: PmpState;
	/** Runs of pages in order, without gaps: for S and U, and for M. */
	readonly #supervisor: readonly PageRun[];
	readonly #machine: readonly PageRun[];

	constructor(pmp: PmpState) {
		this.#pmp = pmp;
		const bounds = pageBounds(pmp);
		this.#supervisor = pageRuns(pmp, bounds, 1);
		this.#machine = pageRuns(pmp, bounds, 3);
	}

	/** Rights over the whole of a page below 2^40. */
	pageRights(page: number, privilege: 0 | 1 | 3): PageRights {
		const runs = privilege === 3 ? this.#machine : this.#supervisor;
		for (let i = 0; i < runs.length; i++) if (page < runs[i]!.end) return runs[i]!.rights;
		return 0;
	}

	/** Whether an access of `bytes` bytes within one page, below 2^52, is allowed. */
	allows(physical: number, bytes: number, access: Access, privilege: 0 | 1 | 3): boolean {
		const rights = this.pageRights(Math.floor(physical / Number(PAGE_SIZE)), privilege);
		if (rights !== DIVIDED) return (rights & NEEDED[access]) !== 0;
		return pmpCheck(this.#pmp, BigInt(physical), bytes, access, privilege);
	}

	/** Of the runs of pages that have every right, the one that weighs most. */
	openRun(privilege: 0 | 1 | 3, weight: (first: number, end: number) => number): PageRun {
		const runs = privilege === 3 ? this.#machine : this.#supervisor;
		let open: PageRun = { first: 0, end: 0, rights: EVERYTHING };
		let most = 0;
		for (const run of runs) {
			if (run.rights !== EVERYTHING) continue;
			const weighs = weight(run.first, run.end);
			if (weighs > most) {
				most = weighs;
				open = run;
			}
		}
		return open;
	}
}

/** Pages at which rights may change, in order: a page that has a bound within it is set apart from its neighbours. */
function pageBounds(pmp: PmpState): number[] {
	const bounds = new Set([0, PAGES]);
	pmp.cfg.forEach((_, entry) => {
		const range = pmpRange(pmp, entry);
		if (!range) return;
		for (const bound of [range.base, range.end]) {
			bounds.add(Math.min(Number(bound / PAGE_SIZE), PAGES));
			bounds.add(Math.min(Number((bound + PAGE_SIZE - 1n) / PAGE_SIZE), PAGES));
		}
	});
	return [...bounds].sort((a, b) => a - b);
}

function pageRuns(pmp: PmpState, bounds: readonly number[], privilege: 1 | 3): PageRun[] {
	const runs: PageRun[] = [];
	for (let i = 0; i + 1 < bounds.length; i++) {
		const first = bounds[i]!;
		const end = bounds[i + 1]!;
		// No entry begins or ends between the two, unless within a single page.
		const found = pmpRights(pmp, BigInt(first) * PAGE_SIZE, PAGE_SIZE, privilege);
		const rights =
			found === 'mixed'
				? DIVIDED
				: (found.readable ? PMP_R : 0) | (found.writable ? PMP_W : 0) | (found.executable ? PMP_X : 0);
		const last = runs.at(-1);
		if (last?.rights === rights) runs[runs.length - 1] = { first: last.first, end, rights };
		else runs.push({ first, end, rights });
	}
	return runs;
}
