/**
 * Which code a region is made of: basic blocks, breadth first from the instruction that was found to be hot, through
 * branches and direct calls, as far as code has been run and the region does not grow too large.
 */
import { instructions } from '@partita/riscv';
import { semantics } from '../semantics/index.ts';
import type { Code, Instruction } from './code.ts';
import { isTranslatable } from './translatable.ts';

/** A basic block. Places are distances from the region's origin in bytes. */
export interface Block {
	readonly at: number;
	readonly instructions: readonly Instruction[];
	/** Behind the last instruction. */
	readonly end: number;
	/**
	 * How it ends: falls through; branches to `target` or falls through; jumps to `target`; jumps to a register's value; or
	 * leaves at `end`, for the interpreter to execute the instruction there.
	 */
	readonly exit: 'next' | 'branch' | 'jump' | 'jumpRegister' | 'leave';
	/** Of a branch or jump. */
	readonly target: number;
}

/** Blocks and the places where a region may be entered. */
export interface Blocks {
	readonly blocks: readonly Block[];
	/** Indices of blocks. */
	readonly entries: readonly number[];
}

/** Most blocks of a region, instructions of a block, and instructions of a region (as they are found: some twice). */
const MOST_BLOCKS = 160;
const MOST_IN_BLOCK = 96;
const MOST_INSTRUCTIONS = 1600;

const kinds = instructions.map(({ name }) => semantics[name].kind);

/** Finds the blocks from `start` on; undefined where the instruction there cannot be translated. */
export function findBlocks(code: Code, start: number): Blocks | undefined {
	const first = code.at(start);
	if (!first || !isTranslatable(first)) return undefined;
	const leaders = new Set([start]);
	const entries = new Set([start]);
	const queue = [start];
	let budget = MOST_INSTRUCTIONS;
	const follow = (at: number, entry = false): void => {
		if (!leaders.has(at)) {
			if (leaders.size >= MOST_BLOCKS || !code.wasDecoded(at)) return;
			const found = code.at(at);
			if (!found || !isTranslatable(found)) return;
			leaders.add(at);
			queue.push(at);
		}
		if (entry) entries.add(at);
	};
	for (let next = 0; next < queue.length && budget > 0; next++) {
		let at = queue[next]!;
		for (let length = 0; ; length++) {
			if (length > 0 && leaders.has(at)) break;
			const found = code.at(at);
			if (!found) break;
			budget--;
			const end = at + found.length;
			if (!isTranslatable(found)) {
				// The interpreter comes back behind it.
				follow(end, true);
				break;
			}
			const kind = kinds[found.row]!;
			if (kind === 'plain') {
				at = end;
				if (length + 1 < MOST_IN_BLOCK) continue;
				follow(at);
				break;
			}
			if (kind === 'branch') {
				follow(end);
				follow(at + found.imm);
				break;
			}
			const links = found.rd !== 0;
			if (kind === 'jump') follow(at + found.imm, links);
			if (links) follow(end, true);
			break;
		}
	}
	const places = [...leaders];
	const blocks = places.map((at) => cut(code, at, leaders));
	const index = new Map(places.map((at, i) => [at, i]));
	return { blocks, entries: [...entries].map((at) => index.get(at)!) };
}

/** The block that begins at a leader. */
function cut(code: Code, start: number, leaders: ReadonlySet<number>): Block {
	const list: Instruction[] = [];
	let at = start;
	for (;;) {
		const block = { at: start, instructions: list, end: at, target: 0 };
		if (list.length > 0 && (leaders.has(at) || list.length >= MOST_IN_BLOCK)) return { ...block, exit: 'next' };
		const found = code.at(at);
		if (!found || !isTranslatable(found)) return { ...block, exit: 'leave' };
		list.push(found);
		const kind = kinds[found.row]!;
		const end = at + found.length;
		if (kind === 'branch' || kind === 'jump') return { ...block, end, exit: kind, target: at + found.imm };
		if (kind === 'jumpRegister') return { ...block, end, exit: kind };
		at = end;
	}
}
