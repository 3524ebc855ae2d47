import { PageFlag, PhysicalMemory } from '@partita/memory';
import { type Access, PTE_N, PTE_PBMT_SHIFT, PTE_V } from '@partita/mmu';
import { ModuleBuilder } from '@partita/wasm-builder';
import { beforeAll, describe, expect, test } from 'vitest';
import { DecodedPages } from '../interpreter/decoded-pages.ts';
import { createLinearLayout, DecodedPage, STORES_UNTIL_DROPPED, Tlb, Word } from '../layout.ts';
import { resetState } from '../privileged/index.ts';
import { Slot, STATE_WORDS } from '../state.ts';
import { HartTlb } from '../tlb.ts';
import { AddressTranslation } from '../translation.ts';
import { emitFill } from './fill.ts';

// RAM from 0 on, so that large pages map it; four pages of ROM, nothing. All memory is page tables, whatever it is used for.
const RAM = 48;
const ROM = 50;
const PAGES = 56;
const NOT_HELD = 46;
const CODE = [5, 20, 21];
/** A page with code that the next store drops. */
const DROPPING = 30;

function generator(seed: number): (limit: number) => number {
	let state = seed;
	return (limit) => {
		state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
		return Math.floor((state / 2 ** 32) * limit);
	};
}

type Random = ReturnType<typeof generator>;
const chance = (random: Random, percent: number): boolean => random(100) < percent;

/** A PTE, mostly of a kind that leads somewhere. */
function randomPte(random: Random): bigint {
	const page = BigInt(chance(random, 98) ? random(RAM) : random(2 * PAGES));
	let pte = (page << 10n) | (chance(random, 99) ? PTE_V : 0n);
	if (chance(random, 40)) return pte | (chance(random, 2) ? BigInt(random(256)) : 0n);
	// R, W and X; G, A, D; U.
	pte |= BigInt(
		[2, 6, 14, 10, 14, 14, 14, 14, 14, 6, 8, 4][random(12)]! | (random(8) << 5) | (chance(random, 80) ? 16 : 0),
	);
	// Large pages begin at 0 here, or are misaligned.
	if (chance(random, 85)) pte &= ~(0xfff_ffffn << 10n);
	if (chance(random, 5)) pte = (pte & ~(0xfn << 10n)) | PTE_N | (8n << 10n);
	if (chance(random, 3)) pte |= BigInt(random(4)) << PTE_PBMT_SHIFT;
	if (chance(random, 1)) pte |= 1n << BigInt(54 + random(10));
	return pte;
}

/** A machine without instructions: one hart's translation, in both ways. */
class Bench {
	readonly layout = createLinearLayout({ harts: 1, physicalTop: PAGES * 4096, codePages: 4 });
	readonly bytes = new Uint8Array(this.layout.memory.buffer);
	readonly words = new Int32Array(this.layout.memory.buffer, 0, 512);
	readonly halves = new Uint32Array(this.layout.memory.buffer, 0, STATE_WORDS * 2);
	readonly state = new BigUint64Array(this.layout.memory.buffer, 0, STATE_WORDS);
	readonly memory = new PhysicalMemory(this.layout);
	readonly tlb = new HartTlb(this.layout, 0);
	readonly code = new DecodedPages(this.layout, this.memory, () => {}, { codeAppeared() {}, codeDropped() {} });
	readonly translation = new AddressTranslation(
		() => this.state,
		() => this.halves,
		this.layout,
		this.memory,
		this.code,
		this.tlb,
	);
	readonly fill: (address: bigint, kind: number) => number;

	constructor() {
		this.memory.addRegion(ROM * 4096, 4 * 4096, true);
		this.memory.addRegion(0, RAM * 4096);
		for (let page = 0; page < PAGES; page++) if (page < NOT_HELD || page >= ROM) this.memory.frame(page);
		for (const page of CODE) this.code.page(page);
		const dropping = this.code.page(DROPPING);
		new DataView(this.bytes.buffer).setInt32(dropping + DecodedPage.stores, STORES_UNTIL_DROPPED - 1, true);
		resetState(this.state, 0);
		const module = new ModuleBuilder();
		module.importMemory('engine', 'memory');
		emitFill(module);
		const { exports } = new WebAssembly.Instance(new WebAssembly.Module(module.emit()), {
			engine: { memory: this.layout.memory },
		});
		this.fill = exports.fillTlb as (address: bigint, kind: number) => number;
	}

	randomTables(random: Random): void {
		const frames = new BigUint64Array(this.layout.memory.buffer, this.layout.poolStart, (NOT_HELD + 4) * 512);
		for (let i = 0; i < frames.length; i++) frames[i] = randomPte(random);
	}

	/** PMP opens everything, or has holes; the other registers are random. */
	randomRegisters(random: Random, open: boolean): void {
		const { state } = this;
		state[Slot.pmpaddr + 15] = (1n << 54n) - 1n;
		state[Slot.pmpcfg + 1] = 0x1fn << 56n;
		state[Slot.pmpcfg] = 0n;
		if (!open) {
			// Entries 0 and 1: naturally aligned, of 4 bytes to 32 KiB.
			for (const entry of [0, 1]) {
				const size = (1n << BigInt(random(13))) - 1n;
				state[Slot.pmpaddr + entry] = (BigInt(random(PAGES * 1024)) & ~size) | (size >> 1n);
			}
			state[Slot.pmpcfg] = BigInt(0x18 | random(8) | ((0x18 | random(8) | (random(2) << 7)) << 8));
		}
		const atp = (modes: readonly number[]): bigint =>
			(BigInt(modes[random(modes.length)]!) << 60n) | (BigInt(random(4)) << 44n) | BigInt(random(NOT_HELD));
		state[Slot.satp] = atp([0, 8, 8, 9, 10]);
		state[Slot.vsatp] = atp([0, 8, 8, 9, 10, 1]);
		state[Slot.hgatp] = atp([0, 8, 8, 9, 10, 2]) & ~3n;
		state[Slot.privilege] = [0n, 1n, 1n, 3n][random(4)]!;
		state[Slot.virtual] = state[Slot.privilege] === 3n ? 0n : BigInt(random(2));
		// MPRV, SUM, MXR, MPP, MPV.
		const status = (BigInt(random(8)) << 17n) | (BigInt([0, 1, 3][random(3)]!) << 11n) | (BigInt(random(2)) << 39n);
		state[Slot.mstatus] = status;
		state[Slot.vsstatus] = BigInt(random(4)) << 18n;
		state[Slot.menvcfg] = BigInt(random(2)) << 62n;
		state[Slot.henvcfg] = BigInt(random(2)) << 62n;
		this.translation.protectionChanged();
		this.translation.updateModes();
	}

	/** What the hart does without the walk in WebAssembly; linear address, 0 where there is none. */
	reference(address: bigint, kind: number): number {
		if (kind < 2) return this.translation.fill(kind, 1);
		const { translation, tlb } = this;
		const mode = translation.fetchMode;
		const found = translation.locate(address, 1, 'fetch', mode);
		if (found.kind !== 'memory') return 0;
		const { physical, pageBits } = found.translation;
		const page = Number(physical >> 12n);
		if (!(this.memory.pageMap[page]! & PageFlag.code) || !translation.wholePageExecutable(physical, mode)) return 0;
		const decoded = this.code.page(page);
		tlb.enter(Tlb.execute, address, this.words[Word.fetchContext >> 2]! >> 3, decoded, pageBits);
		return decoded;
	}
}

/** An address that the tables of some mode may map; some that none does. */
function randomAddress(random: Random): bigint {
	if (chance(random, 15)) return BigInt(random(PAGES + 8) * 4096 + random(4096));
	let low = BigInt(chance(random, 70) ? random(RAM * 4096) : random(2 ** 30));
	for (const field of [30n, 39n, 48n]) if (chance(random, 50)) low |= BigInt(random(2048)) << field;
	const bits = [39, 41, 48, 50, 57, 59][random(6)]!;
	const address = low & ((1n << BigInt(bits)) - 1n);
	return chance(random, 50) ? BigInt.asUintN(64, BigInt.asIntN(bits, address)) : address;
}

const kinds: readonly Access[] = ['load', 'store', 'fetch'];

describe('the walk in WebAssembly does what the reference walk does, or nothing', () => {
	let bench: Bench;
	beforeAll(() => {
		bench = new Bench();
	});

	/** Counts of references that succeeded, and of those that WebAssembly did alone. */
	function compare(seed: number, open: boolean): { reference: number; alone: number; guests: number; codes: number } {
		const random = generator(seed);
		const count = { reference: 0, alone: 0, guests: 0, codes: 0 };
		const before = new Uint8Array(bench.bytes.length);
		const wanted = new Uint8Array(bench.bytes.length);
		let frames = bench.memory.framesInUse;
		for (let round = 0; round < 4; round++) {
			bench.randomTables(random);
			const start = bench.bytes.slice();
			for (let probe = 0; probe < 150; probe++) {
				bench.bytes.set(start);
				bench.tlb.clear();
				bench.randomRegisters(random, open);
				const address = randomAddress(random);
				const kind = random(3);
				bench.state[Word.address / 8] = address;
				before.set(bench.bytes);
				const expected = bench.reference(address, kind);
				if (bench.memory.framesInUse > frames) {
					// It has a frame from now on.
					frames = bench.memory.framesInUse;
					for (let page = NOT_HELD; page < RAM; page++) {
						const at = bench.layout.pageMap + page * 4;
						start.set(bench.bytes.subarray(at, at + 4), at);
					}
					bench.bytes.set(before);
					expect(bench.fill(address, kind)).toBe(0);
					continue;
				}
				wanted.set(bench.bytes);
				const dirtied = bench.words[Word.storeCode >> 2] !== 0;
				bench.bytes.set(before);
				const found = bench.fill(address, kind);
				const about = `seed ${seed} round ${round} probe ${probe}: ${kinds[kind]} of ${address.toString(16)}`;
				if (found === 0) expect(bench.reference(address, kind), about).toBe(expected);
				else expect(found, about).toBe(expected);
				expect(Buffer.compare(bench.bytes, wanted), about).toBe(0);
				if (expected === 0) continue;
				count.reference++;
				if (found === 0) continue;
				count.alone++;
				if (bench.state[Slot.virtual] === 1n) count.guests++;
				if (dirtied) count.codes++;
			}
		}
		return count;
	}

	test('with PMP that is open', () => {
		const total = { reference: 0, alone: 0, guests: 0, codes: 0 };
		for (let seed = 1; seed <= 4; seed++) {
			const count = compare(seed, true);
			for (const key of ['reference', 'alone', 'guests', 'codes'] as const) total[key] += count[key];
		}
		expect(total.reference).toBeGreaterThan(150);
		// The rest: ROM, tables on pages that have code, pages without a frame.
		expect(total.alone / total.reference).toBeGreaterThan(0.9);
		expect(total.guests).toBeGreaterThan(25);
		expect(total.codes).toBeGreaterThan(2);
	});

	test('with PMP that has holes', () => {
		let alone = 0;
		for (let seed = 11; seed <= 13; seed++) alone += compare(seed, false).alone;
		expect(alone).toBeGreaterThan(50);
	});
});
