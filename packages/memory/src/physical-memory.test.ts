import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { FramePoolExhausted, PAGE_SIZE, PageFlag, PhysicalMemory } from './index.ts';

const PAGES = 64;
const POOL = 0x1_0000;

/** RAM in pages 16 to 31 and 40 to 43, ROM in pages 32 and 33; a pool of `frames`. */
function board(frames = 32): PhysicalMemory {
	const memory = new WebAssembly.Memory({ initial: 1 + Math.ceil((frames * PAGE_SIZE) / 65536) });
	const made = new PhysicalMemory({
		memory,
		pageMap: 0x1000,
		pages: PAGES,
		poolStart: POOL,
		poolEnd: POOL + frames * PAGE_SIZE,
	});
	made.addRegion(16 * PAGE_SIZE, 16 * PAGE_SIZE);
	made.addRegion(32 * PAGE_SIZE, 2 * PAGE_SIZE, true);
	made.addRegion(40 * PAGE_SIZE, 4 * PAGE_SIZE);
	return made;
}

const isRam = (page: number): boolean => (page >= 16 && page < 32) || (page >= 40 && page < 44);
const isRom = (page: number): boolean => page === 32 || page === 33;

/** What a flat array without frames would hold. */
class Model {
	readonly bytes = new Uint8Array(PAGES * PAGE_SIZE);

	all(address: number, length: number, test: (page: number) => boolean): boolean {
		const last = Math.floor((address + Math.max(length, 1) - 1) / PAGE_SIZE);
		for (let page = Math.floor(address / PAGE_SIZE); page <= last; page++) if (!test(page)) return false;
		return true;
	}
}

const access = fc.record({
	kind: fc.constantFrom('read', 'write', 'load', 'frame'),
	address: fc.oneof(
		fc.nat(PAGES * PAGE_SIZE + 100),
		fc.tuple(fc.integer({ min: 14, max: 45 }), fc.integer({ min: -20, max: 20 })).map(([p, d]) => p * PAGE_SIZE + d),
	),
	length: fc.oneof(fc.nat(64), fc.nat(3 * PAGE_SIZE)),
	fill: fc.integer({ min: 1, max: 255 }),
});

function pattern(length: number, fill: number): Uint8Array {
	return Uint8Array.from({ length }, (_, i) => (fill + i) & 0xff);
}

describe('PhysicalMemory', () => {
	test('behaves as a flat array with holes, whatever frames it uses', () => {
		fc.assert(
			fc.property(fc.array(access, { maxLength: 40 }), (accesses) => {
				const memory = board();
				const model = new Model();
				for (const { kind, address, length, fill } of accesses) {
					const bytes = pattern(length, fill);
					const mapped = model.all(address, length, (page) => isRam(page) || isRom(page));
					expect(memory.contains(address, length)).toBe(mapped);
					if (kind === 'read') {
						const into = new Uint8Array(length).fill(fill);
						expect(memory.read(address, into)).toBe(mapped);
						expect(into).toEqual(
							mapped ? model.bytes.slice(address, address + length) : new Uint8Array(length).fill(fill),
						);
					} else if (kind === 'write') {
						const writable = model.all(address, length, isRam);
						expect(memory.write(address, bytes)).toBe(writable);
						if (writable) model.bytes.set(bytes, address);
					} else if (kind === 'load' && mapped) {
						memory.load(address, bytes);
						model.bytes.set(bytes, address);
					} else if (kind === 'load') {
						expect(() => memory.load(address, bytes)).toThrow(RangeError);
					} else {
						const page = Math.floor(address / PAGE_SIZE);
						const frame = memory.frame(page);
						expect(frame !== 0).toBe(isRam(page) || isRom(page));
						expect(frame % PAGE_SIZE).toBe(0);
						expect(memory.frame(page)).toBe(frame);
					}
				}
				for (let page = 0; page < PAGES; page++) {
					if (!isRam(page) && !isRom(page)) continue;
					const into = new Uint8Array(PAGE_SIZE);
					expect(memory.read(page * PAGE_SIZE, into)).toBe(true);
					expect(into).toEqual(model.bytes.slice(page * PAGE_SIZE, (page + 1) * PAGE_SIZE));
				}
			}),
			{ numRuns: 150 },
		);
	});

	test('a page costs a frame when it is first written, not when it is read', () => {
		const memory = board();
		expect(memory.framesInUse).toBe(0);
		memory.read(16 * PAGE_SIZE, new Uint8Array(16 * PAGE_SIZE));
		expect(memory.framesInUse).toBe(0);
		memory.write(17 * PAGE_SIZE - 1, Uint8Array.of(1, 2));
		expect(memory.framesInUse).toBe(2);
	});

	test('a board may have more RAM than the pool, until more is touched', () => {
		const memory = board(3);
		for (const page of [16, 20, 43]) memory.write(page * PAGE_SIZE, Uint8Array.of(1));
		expect(() => memory.write(17 * PAGE_SIZE, Uint8Array.of(1))).toThrow(FramePoolExhausted);
		expect(() => memory.frame(18)).toThrow(/all 3 host frames/);
		expect(memory.write(43 * PAGE_SIZE + 5, Uint8Array.of(9))).toBe(true);
	});

	test.each([
		['a part of a page', 44 * PAGE_SIZE, 100, /whole number of pages/],
		['an odd base', 44 * PAGE_SIZE + 1, PAGE_SIZE, /whole number of pages/],
		['no pages', 44 * PAGE_SIZE, 0, /whole number of pages/],
		['an overlap', 31 * PAGE_SIZE, PAGE_SIZE, /overlaps/],
		['pages that the map does not cover', 63 * PAGE_SIZE, 2 * PAGE_SIZE, /beyond the page map/],
	])('a region is refused: %s', (_, base, size, message) => {
		expect(() => board().addRegion(base, size)).toThrow(message);
	});

	test('dirty pages are seen once, in order, with ROM that was loaded', () => {
		const memory = board();
		memory.write(41 * PAGE_SIZE, Uint8Array.of(1));
		memory.write(20 * PAGE_SIZE - 1, Uint8Array.of(1, 2));
		memory.load(32 * PAGE_SIZE, Uint8Array.of(7));
		const seen: [number, number][] = [];
		const visit = (page: number, frame: number): unknown => seen.push([page, frame]);
		memory.takeDirty(visit);
		expect(seen).toEqual([19, 20, 32, 41].map((page) => [page, memory.frame(page)]));
		seen.length = 0;
		memory.takeDirty(visit);
		expect(seen).toEqual([]);
	});

	test('the code cache is told what was written to pages that are flagged, page by page', () => {
		const memory = board();
		const told: [number, number][] = [];
		memory.codeCache = { written: (address, length) => told.push([address, length]) };
		for (const page of [20, 21]) {
			memory.frame(page);
			memory.pageMap[page]! |= PageFlag.code;
		}
		memory.write(20 * PAGE_SIZE - 8, new Uint8Array(16));
		expect(told).toEqual([[20 * PAGE_SIZE, 8]]);
		memory.load(21 * PAGE_SIZE - 3, new Uint8Array(5));
		expect(told.slice(1)).toEqual([
			[21 * PAGE_SIZE - 3, 3],
			[21 * PAGE_SIZE, 2],
		]);
	});

	test.each([-1, -PAGE_SIZE, Number.NaN, Number.POSITIVE_INFINITY, 2 ** 40, 2 ** 53, 1e300])(
		'address %d is no memory and throws nothing',
		(address) => {
			const memory = board();
			expect(memory.contains(address, 4)).toBe(false);
			expect(memory.read(address, new Uint8Array(4))).toBe(false);
			expect(memory.write(address, new Uint8Array(4))).toBe(false);
		},
	);

	test('a length beyond everything is refused without a walk over it', () => {
		const memory = board();
		expect(memory.contains(16 * PAGE_SIZE, Number.MAX_SAFE_INTEGER)).toBe(false);
		expect(memory.contains(16 * PAGE_SIZE, Number.POSITIVE_INFINITY)).toBe(false);
		expect(memory.contains(16 * PAGE_SIZE, Number.NaN)).toBe(false);
		expect(memory.contains(16 * PAGE_SIZE, -1)).toBe(false);
	});
});

describe('snapshots of memory', () => {
	const writes = fc.array(
		fc.record({ page: fc.constantFrom(16, 17, 25, 31, 40, 43), offset: fc.nat(PAGE_SIZE - 1), value: fc.nat(255) }),
		{ maxLength: 20 },
	);
	const apply = (memory: PhysicalMemory, list: readonly { page: number; offset: number; value: number }[]): void => {
		for (const { page, offset, value } of list) memory.write(page * PAGE_SIZE + offset, Uint8Array.of(value));
	};
	const contents = (memory: PhysicalMemory): Uint8Array => {
		const bytes = new Uint8Array(18 * PAGE_SIZE);
		memory.read(16 * PAGE_SIZE, bytes);
		const high = new Uint8Array(4 * PAGE_SIZE);
		memory.read(40 * PAGE_SIZE, high);
		return Uint8Array.of(...bytes, ...high);
	};

	test('a restored memory has the contents and dirty pages of the saved one, whatever it held', () => {
		fc.assert(
			fc.property(writes, writes, writes, (before, other, after) => {
				const saved = board();
				apply(saved, before);
				const state = structuredClone(saved.save());
				const restored = board();
				apply(restored, other);
				restored.restore(state);
				expect(contents(restored)).toEqual(contents(saved));
				expect(restored.save()).toEqual(state);
				apply(saved, after);
				apply(restored, after);
				expect(contents(restored)).toEqual(contents(saved));
				const dirty = (memory: PhysicalMemory): number[] => {
					const pages: number[] = [];
					memory.takeDirty((page) => pages.push(page));
					return pages;
				};
				expect(dirty(restored)).toEqual(dirty(saved));
			}),
			{ numRuns: 20 },
		);
	});

	test('a saved state does not follow the memory', () => {
		const memory = board();
		memory.write(16 * PAGE_SIZE, Uint8Array.of(1));
		const state = memory.save();
		memory.write(16 * PAGE_SIZE, Uint8Array.of(2));
		expect(state.frames[0]).toBe(1);
	});

	test('it may be restored into another pool', () => {
		const saved = board();
		saved.write(43 * PAGE_SIZE, Uint8Array.of(5));
		const memory = new PhysicalMemory({
			memory: new WebAssembly.Memory({ initial: 4 }),
			pageMap: 0x2000,
			pages: PAGES,
			poolStart: 0x2_0000,
			poolEnd: 0x2_2000,
		});
		memory.addRegion(16 * PAGE_SIZE, 16 * PAGE_SIZE);
		memory.addRegion(32 * PAGE_SIZE, 2 * PAGE_SIZE, true);
		memory.addRegion(40 * PAGE_SIZE, 4 * PAGE_SIZE);
		memory.restore(saved.save());
		expect(memory.frame(43)).toBe(0x2_0000);
		expect(memory.bytes[0x2_0000]).toBe(5);
	});

	const damages: [string, (state: ReturnType<PhysicalMemory['save']>) => object, RegExp][] = [
		['half a frame', (s) => ({ frames: s.frames.slice(1) }), /lengths do not agree/],
		['fewer words than pages', (s) => ({ words: s.words.slice(1) }), /lengths do not agree/],
		['a page less', (s) => ({ pages: s.pages.slice(1), words: s.words.slice(1) }), /other memory regions/],
		['a page that is no memory', (s) => ({ pages: s.pages.map((page) => (page === 16 ? 3 : page)) }), /other memory/],
		['a page beyond the map', (s) => ({ pages: s.pages.map((page) => (page === 43 ? 9999 : page)) }), /other memory/],
		['ROM where RAM is', (s) => ({ words: s.words.map((w) => w | PageFlag.rom) }), /other memory regions/],
		['a page twice', (s) => ({ pages: s.pages.map((page) => (page === 17 ? 16 : page)) }), /damaged/],
		['a frame twice', (s) => ({ words: s.words.map((w, i) => (i < 2 ? w | PageFlag.held : w)) }), /damaged/],
		[
			'a frame that is not there',
			(s) => ({ words: s.words.map((w) => (w & PageFlag.held ? w + 0x1000 : w)) }),
			/damaged/,
		],
		[
			'a frame address without a frame',
			(s) => ({ words: s.words.map((w, i) => (i === 5 ? w | 0x5000 : w)) }),
			/damaged/,
		],
		['flags that do not exist', (s) => ({ words: s.words.map((w) => w | 0x100) }), /damaged/],
		['more frames than the pool', () => ({ frames: new Uint8Array(64 * PAGE_SIZE) }), /host frames/],
	];
	test.each(damages)('refused, with nothing changed: %s', (_, damage, message) => {
		const saved = board();
		saved.write(16 * PAGE_SIZE, Uint8Array.of(1));
		const state = saved.save();
		const memory = board();
		memory.write(17 * PAGE_SIZE, Uint8Array.of(2));
		const before = memory.save();
		expect(() => memory.restore({ ...state, ...damage(state) })).toThrow(message);
		expect(memory.save()).toEqual(before);
	});
});
