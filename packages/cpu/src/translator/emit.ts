/**
 * A region as one WebAssembly function (state, base) -> pc; see interpreter/regions.ts for what these are.
 *
 * Each block takes its instructions from the budget when it begins. Points of entry and loop headers look at it first: they
 * leave unless it lasts for the longest way to the next such point, so that a region stops where the interpreter would.
 */
import { instructions } from '@partita/riscv';
import { type FunctionBuilder, I32, I64, i32, i64, type Label, type ModuleBuilder, Op } from '@partita/wasm-builder';
import { jumpSlot, REGION_PARAMS, REGION_RESULTS } from '../interpreter/regions.ts';
import { RegionEntry, Shared, Word } from '../layout.ts';
import { semantics } from '../semantics/index.ts';
import type { Block, Blocks } from './blocks.ts';
import { TranslatorContext } from './context.ts';
import { nativeFloat } from './float.ts';
import { type Item, type Loop, loopsOf, structure } from './structure.ts';

/** A point of entry: state s of the region is its s-th, counted from 1. */
export interface EmittedEntry {
	/** Distance from the origin. */
	readonly at: number;
	/** See `RegionEntry.longest`. */
	readonly longest: number;
}

/** What the regions of a module have in common. */
export interface RegionTarget {
	readonly module: ModuleBuilder;
	/** Linear address of the TLBs; 0 where it depends on the hart. */
	readonly tlb: number;
}

const rows = instructions.map(({ name }) => semantics[name]);
const native = instructions.map(({ name }) => nativeFloat[name]);

/** Emits a region as an exported function; `slot` is the number that it will have in the table. */
export function emitRegion(
	{ module, tlb }: RegionTarget,
	{ blocks, entries }: Blocks,
	slot: number,
	exportName: string,
): readonly EmittedEntry[] {
	return new RegionEmitter(
		module.function(REGION_PARAMS, REGION_RESULTS, exportName),
		blocks,
		entries,
		slot,
		tlb,
	).emit();
}

/** Where a branch to a block goes: the end of a construct, or the start of a loop. */
interface Destination {
	readonly label: Label;
	/** The loop that is entered there, or begun anew. */
	readonly loop: Loop | undefined;
	readonly back: boolean;
}

class RegionEmitter {
	readonly #f: FunctionBuilder;
	readonly #blocks: readonly Block[];
	readonly #slot: number;
	readonly #tlb: number;
	readonly #items: readonly Item[];
	readonly #successors: readonly (readonly number[])[];
	readonly #indexOf: ReadonlyMap<number, number>;
	/** Blocks that may be entered, by state - 1. */
	readonly #entries: readonly number[];
	readonly #stateOf: ReadonlyMap<number, number>;
	/** Loops in which a round may begin elsewhere than at the header, by state. */
	readonly #dispatching = new Set<Loop>();
	readonly #longest: number[] = [];
	readonly #scopes: Map<number, Destination>[] = [];
	#c!: TranslatorContext;
	#top!: Label;
	#leaveDynamic!: Label;

	constructor(f: FunctionBuilder, blocks: readonly Block[], entries: readonly number[], slot: number, tlb: number) {
		this.#f = f;
		this.#blocks = blocks;
		this.#slot = slot;
		this.#tlb = tlb;
		this.#indexOf = new Map(blocks.map(({ at }, i) => [at, i]));
		this.#successors = blocks.map((block) => {
			const found: number[] = [];
			const add = (at: number): void => {
				const index = this.#indexOf.get(at);
				if (index !== undefined && !found.includes(index)) found.push(index);
			};
			if (block.exit === 'next' || block.exit === 'branch') add(block.end);
			if (block.exit === 'jump' || block.exit === 'branch') add(block.target);
			return found;
		});
		const byAddress = blocks.map((_, i) => i).sort((a, b) => blocks[a]!.at - blocks[b]!.at);
		this.#items = structure(this.#successors, byAddress);
		const all = new Set(entries);
		const loops = [...loopsOf(this.#items)];
		for (const loop of loops) for (const header of loop.headers) all.add(header);
		this.#entries = [...all];
		this.#stateOf = new Map(this.#entries.map((block, i) => [block, i + 1]));
		for (const loop of loops) {
			const elsewhere = this.#entries.some((block) => loop.blocks.has(block) && block !== loop.headers[0]);
			if (elsewhere) this.#dispatching.add(loop);
		}
	}

	emit(): readonly EmittedEntry[] {
		const f = this.#f;
		const constant = this.#tlb !== 0;
		const locals = {
			state: f.param<I32>(0),
			base: f.param<I64>(1),
			left: f.local(I32),
			site: f.local(I64),
			pc: f.local(I64),
			address: f.local(I64),
			slot: f.local(I32),
			dataContext: f.local(I64),
			tlb: constant ? undefined : f.local(I32),
		};
		f.block((leaveDynamic) => {
			this.#leaveDynamic = leaveDynamic;
			f.block((leave) => {
				this.#c = new TranslatorContext(f, locals, leave, this.#tlb);
				f.loop((top) => {
					this.#top = top;
					this.#emitScope(this.#items, undefined);
				});
				f.op(Op.unreachable);
			});
			f.set(locals.pc, i64.add(locals.base, i64.extend32(locals.site)));
			f.set(locals.left, i32.add(locals.left, i32.wrap(i64.shrU(locals.site, 32))));
		});
		this.#c.storeRegisters();
		i32.store(f, 0, locals.left, Shared.left);
		f.push(locals.pc);
		f.prepend(() => {
			this.#c.loadRegisters();
			f.set(locals.left, i32.load(0, Shared.left));
			f.set(locals.dataContext, i64.load(0, Word.dataContext));
			if (locals.tlb) f.set(locals.tlb, i32.load(0, Word.tlb));
		});
		return this.#entries.map((block) => ({ at: this.#blocks[block]!.at, longest: this.#longestFrom(block) }));
	}

	/** Emits a scope: each item behind the end of a construct that leads to it. `loop` is the one whose body it is. */
	#emitScope(items: readonly Item[], loop: Loop | undefined): void {
		const f = this.#f;
		const scope = new Map<number, Destination>();
		const labels: Label[] = [];
		for (let i = items.length - 1; i >= 0; i--) {
			const item = items[i]!;
			const label = f.open(Op.block);
			labels[i] = label;
			if (item.kind === 'block') scope.set(item.block, { label, loop: undefined, back: false });
			else for (const header of item.headers) scope.set(header, { label, loop: item, back: false });
		}
		this.#scopes.push(scope);
		if (!loop || this.#dispatching.has(loop)) this.#dispatch(items, labels);
		items.forEach((item) => {
			f.close();
			if (item.kind === 'block') {
				scope.delete(item.block);
				this.#emitBlock(item.block);
				return;
			}
			for (const header of item.headers) scope.delete(header);
			f.loop((label) => {
				this.#scopes.push(new Map(item.headers.map((header) => [header, { label, loop: item, back: true }])));
				this.#emitScope(item.body, item);
				this.#scopes.pop();
			});
			f.op(Op.unreachable);
		});
		this.#scopes.pop();
	}

	/** Goes to the item that holds the block of the state; to the first where the state is 0, or of a block elsewhere. */
	#dispatch(items: readonly Item[], labels: readonly Label[]): void {
		const { state } = this.#c.locals;
		const table = this.#entries.map((block) => {
			const place = items.findIndex((item) => (item.kind === 'block' ? item.block === block : item.blocks.has(block)));
			return labels[place < 0 ? 0 : place]!;
		});
		this.#f.if(state, () => {
			this.#f.push(state);
			this.#f.brTable([labels[0]!, ...table], labels[0]!);
		});
		this.#f.br(labels[0]!);
	}

	#emitBlock(index: number): void {
		const block = this.#blocks[index]!;
		const c = this.#c;
		const { locals } = c;
		const f = this.#f;
		const count = block.instructions.length;
		if (this.#stateOf.has(index)) c.leaveBelow(this.#longestFrom(index), block.at);
		f.set(locals.left, i32.sub(locals.left, count));
		c.begin();
		let at = block.at;
		block.instructions.forEach((instruction, i) => {
			c.at(instruction, at, count - i);
			at += instruction.length;
			const row = rows[instruction.row]!;
			const emitNative = native[instruction.row];
			if (emitNative) emitNative(c, instruction);
			else if (row.kind === 'plain') row.emit(c);
			else if (row.kind === 'branch') {
				const destination = this.#direct(block.target);
				if (destination) f.brIf(destination, row.condition(c));
				else f.if(row.condition(c), () => this.#goTo(block.target));
			} else if (row.kind === 'jump') c.setRd(i64.add(locals.base, at));
			else {
				f.set(locals.pc, i64.and(i64.add(c.rs1, c.imm), -2));
				c.setRd(i64.add(locals.base, at));
			}
		});
		if (block.exit === 'leave') c.leaveAt(block.end, true);
		else if (block.exit === 'jumpRegister') this.#jumpToRegister();
		else this.#goTo(block.exit === 'jump' ? block.target : block.end);
	}

	/** Goes to the pc in the local: within this region where the jump cache says so. */
	#jumpToRegister(): void {
		const f = this.#f;
		const { pc, slot, state, base } = this.#c.locals;
		f.set(slot, jumpSlot(pc));
		const here = i32.and(
			i64.eq(i64.load(slot, RegionEntry.pc), pc),
			i32.and(
				i64.eq(i64.load(slot, RegionEntry.key), i64.load(0, Shared.key)),
				i32.eq(i32.shrU(i32.load(slot, RegionEntry.target), 12), this.#slot),
			),
		);
		f.if(here, () => {
			f.set(state, i32.and(i32.load(slot, RegionEntry.target), 0xfff));
			f.set(base, i64.load(slot, RegionEntry.base));
			f.br(this.#top);
		});
		f.br(this.#leaveDynamic);
	}

	/** Goes to the instruction at a distance from the origin. */
	#goTo(at: number): void {
		const block = this.#indexOf.get(at);
		const destination = block === undefined ? undefined : this.#find(block);
		if (!destination) {
			this.#c.leaveAt(at, false);
			return;
		}
		const state = this.#stateFor(block!, destination);
		if (state !== undefined) this.#f.set(this.#c.locals.state, state);
		this.#f.br(destination.label);
	}

	/** The label to branch to where nothing else has to be done to go there. */
	#direct(at: number): Label | undefined {
		const block = this.#indexOf.get(at);
		const destination = block === undefined ? undefined : this.#find(block);
		if (!destination || this.#stateFor(block!, destination) !== undefined) return undefined;
		return destination.label;
	}

	#find(block: number): Destination | undefined {
		for (let i = this.#scopes.length - 1; i >= 0; i--) {
			const found = this.#scopes[i]!.get(block);
			if (found) return found;
		}
		throw new Error('a block that nothing leads to');
	}

	/** What the state has to be when a destination is gone to. A state that was used up must not be followed again. */
	#stateFor(block: number, { loop, back }: Destination): number | undefined {
		if (!loop || !this.#dispatching.has(loop)) return undefined;
		if (loop.headers.length > 1) return this.#stateOf.get(block)!;
		return back ? 0 : undefined;
	}

	/** Most instructions from a block on until a point that looks at the budget. */
	#longestFrom(block: number): number {
		const known = this.#longest[block];
		if (known !== undefined) return known;
		let most = 0;
		for (const next of this.#successors[block]!) {
			if (!this.#stateOf.has(next)) most = Math.max(most, this.#longestFrom(next));
		}
		this.#longest[block] = most + this.#blocks[block]!.instructions.length;
		return this.#longest[block];
	}
}
