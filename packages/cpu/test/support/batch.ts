/// <reference types="node" />
/**
 * Many cases in one RAM image: where their code, data, logs and results are, and what a difference in those means.
 */

import { csrName, disassemble } from '@partita/riscv';
import { RAM, RAM_BYTES } from './board.ts';
import {
	CaseField,
	DEVICES_CLOSED,
	FREE,
	LogField,
	MEMORY_CLOSED,
	placeRuntime,
	ResultField,
	resultCsrs,
} from './runtime.ts';

/** What a case starts with. Registers that are not given are 0. */
export interface CaseInput {
	readonly name: string;
	readonly start: number;
	/** Address of the instruction whose trap ends the case. */
	readonly end: number;
	readonly codeStart: number;
	readonly codeEnd: number;
	/** Bytes from one unit of the code to the next; 0, the default: after a trap, go on behind the instruction. */
	readonly unit?: number;
	/** Address of a routine that is called in M-mode first. */
	readonly setup?: number;
	/** Default 4. */
	readonly logLimit?: number;
	/** Default: M-mode, FS dirty. */
	readonly mstatus?: bigint;
	/** Default: all bits. */
	readonly mstatusMask?: bigint;
	/** Bits of mtval that are compared for access and page faults of loads and stores; default: all. */
	readonly faultMask?: bigint;
	/** pmpcfg2; default: devices are closed. */
	readonly pmpcfg2?: bigint;
	/** The one place that S and U may write, if there is one: a power of two, at a multiple of it. */
	readonly writable?: { readonly at: number; readonly bytes: number };
	readonly fcsr?: number;
	/** By register number. */
	readonly x?: readonly bigint[];
	readonly f?: readonly bigint[];
	/** Memory of the case's own, which is compared too: address and length. */
	readonly memory?: readonly (readonly [address: number, length: number])[];
}

interface PlacedCase {
	readonly input: CaseInput;
	readonly log: number;
	readonly result: number;
	readonly logLimit: number;
}

/** MPP=M, FS=Dirty. */
export const MACHINE_FLOAT = 0x7800n;

/**
 * For {@link CaseInput.faultMask}, where accesses may be misaligned: QEMU then reports an aligned-down address, or that of
 * the second page. The specification wants "the virtual address of the portion of the access that caused the fault".
 */
export const WITHOUT_ADDRESS = 0n;

/** Where two RAM images differ, as text, with the number of the first case that does. */
export interface Difference {
	readonly index: number;
	readonly text: string;
}

/** Bytes that a batch may fill: the device tree that QEMU makes lies above. */
const LIMIT = RAM_BYTES - 0x80_0000;

/** A batch under construction, and later the key to its results. */
export class Batch {
	readonly cases: PlacedCase[] = [];
	readonly #addresses: number[] = [];
	#image = new Uint8Array(1 << 20);
	#view = new DataView(this.#image.buffer);
	#free = FREE;

	/** Bytes that are still free. */
	get room(): number {
		return LIMIT - (this.#free - RAM);
	}

	/** Takes `bytes` bytes, zeroed. */
	reserve(bytes: number, align = 16): number {
		const at = Math.ceil(this.#free / align) * align;
		this.#free = at + bytes;
		const used = this.#free - RAM;
		if (used > LIMIT) throw new RangeError('batch: more than the RAM holds');
		if (used > this.#image.length) {
			const larger = new Uint8Array(Math.min(Math.max(used, this.#image.length * 2), LIMIT));
			larger.set(this.#image);
			this.#image = larger;
			this.#view = new DataView(larger.buffer);
		}
		return at;
	}

	/** Places bytes. */
	place(bytes: Uint8Array, align = 16): number {
		const at = this.reserve(bytes.length, align);
		this.#image.set(bytes, at - RAM);
		return at;
	}

	/** Places instruction words. */
	code(words: readonly number[], align = 16): number {
		const at = this.reserve(words.length * 4, align);
		for (const [i, word] of words.entries()) this.#view.setUint32(at - RAM + 4 * i, word, true);
		return at;
	}

	/** Stores into memory that has been taken. */
	poke(address: number, value: bigint): void {
		this.#view.setBigUint64(address - RAM, value, true);
	}

	poke32(address: number, value: number): void {
		this.#view.setUint32(address - RAM, value, true);
	}

	poke16(address: number, value: number): void {
		this.#view.setUint16(address - RAM, value, true);
	}

	/** Adds a case. */
	add(input: CaseInput): void {
		const logLimit = input.logLimit ?? 4;
		const at = this.reserve(CaseField.bytes);
		const log = this.reserve(logLimit * LogField.bytes);
		const result = this.reserve(ResultField.bytes);
		const put = (offset: number, value: bigint | number): void => this.poke(at + offset, BigInt(value));
		put(CaseField.start, input.start);
		put(CaseField.end, input.end);
		put(CaseField.codeStart, input.codeStart);
		put(CaseField.codeEnd, input.codeEnd);
		put(CaseField.unit, input.unit ?? 0);
		put(CaseField.setup, input.setup ?? 0);
		put(CaseField.log, log);
		put(CaseField.logLimit, logLimit);
		put(CaseField.result, result);
		put(CaseField.mstatus, input.mstatus ?? MACHINE_FLOAT);
		put(CaseField.mstatusMask, input.mstatusMask ?? 0xffff_ffff_ffff_ffffn);
		put(CaseField.pmpcfg2, input.pmpcfg2 ?? (input.writable ? MEMORY_CLOSED : DEVICES_CLOSED));
		if (input.writable) {
			// NAPOT, R and W.
			put(CaseField.pmpaddr0, input.writable.at / 4 + input.writable.bytes / 8 - 1);
			put(CaseField.pmpcfg0, 0x1b);
		}
		put(CaseField.faultMask, input.faultMask ?? 0xffff_ffff_ffff_ffffn);
		put(CaseField.fcsr, input.fcsr ?? 0);
		for (const [n, value] of (input.x ?? []).entries()) put(CaseField.x + 8 * n, value);
		for (const [n, value] of (input.f ?? []).entries()) put(CaseField.f + 8 * n, value);
		this.cases.push({ input, log, result, logLimit });
		this.#addresses.push(at);
	}

	/** The image that both machines run. Nothing can be added afterwards. */
	finish(): Uint8Array {
		const table = this.reserve(8 * (this.#addresses.length + 1));
		for (const [i, address] of this.#addresses.entries()) this.poke(table + 8 * i, BigInt(address));
		const image = this.#image.slice(0, this.#free - RAM);
		placeRuntime(image, table);
		return image;
	}

	/** The first case whose log, result or memory differs. */
	compare(mine: Uint8Array, theirs: Uint8Array): Difference | undefined {
		const index = this.differing(mine, theirs, 1)[0];
		return index === undefined ? undefined : { index, text: this.explain(index, mine, theirs) };
	}

	/** The first cases, at most `most`, that differ. */
	differing(mine: Uint8Array, theirs: Uint8Array, most: number): number[] {
		const found: number[] = [];
		const a = Buffer.from(mine.buffer, mine.byteOffset, mine.length);
		const b = Buffer.from(theirs.buffer, theirs.byteOffset, theirs.length);
		const equal = (address: number, length: number): boolean => {
			const from = address - RAM;
			return a.compare(b, from, from + length, from, from + length) === 0;
		};
		for (const [index, { input, log, result, logLimit }] of this.cases.entries()) {
			const same =
				equal(log, logLimit * LogField.bytes) &&
				equal(result, ResultField.bytes) &&
				(input.memory ?? []).every(([address, length]) => equal(address, length));
			if (!same) found.push(index);
			if (found.length >= most) break;
		}
		return found;
	}

	/** x0 to x31 at a case's first trap. */
	registersAtEnd(index: number, ram: Uint8Array): bigint[] {
		const word = reader(ram);
		const { log } = this.cases[index]!;
		return Array.from({ length: 32 }, (_, n) => (n === 0 ? 0n : word(log + LogField.x + 8 * n)));
	}

	/** How a case went on both machines: the log up to the first difference, then everything that differs. */
	explain(index: number, mine: Uint8Array, theirs: Uint8Array): string {
		const { input, log, result, logLimit } = this.cases[index]!;
		const [a, b] = [reader(mine), reader(theirs)];
		const lines: string[] = [`case ${index}: ${input.name}`];
		if (!input.unit) {
			for (let pc = Math.max(input.codeStart, input.end - 12); pc < input.end; pc += 4) {
				lines.push(`  ${pc.toString(16)}  ${this.#at(mine, BigInt(pc))}`);
			}
		}
		const kept = lines.length;
		const differ = (name: string, address: number): boolean => {
			if (a(address) === b(address)) return false;
			lines.push(`  ${name.padEnd(9)} ${hex(a(address))} here, ${hex(b(address))} in QEMU`);
			return true;
		};
		for (let record = 0; record < logLimit; record++) {
			const at = log + record * LogField.bytes;
			if (a(at + LogField.mepc) === 0n && b(at + LogField.mepc) === 0n) break;
			const pc = a(at + LogField.mepc);
			lines.push(`trap ${record}: mcause ${hex(a(at))} mepc ${hex(pc)} ${this.#at(mine, pc)}`);
			if (input.unit) {
				const at = BigInt(input.codeStart + record * input.unit);
				lines.push(`  unit ${record}: ${at.toString(16)} ${this.#at(mine, at)}`);
			}
			let differs = false;
			for (const name of ['mcause', 'mepc', 'mtval', 'mstatus', 'scause', 'sepc', 'stval'] as const) {
				differs = differ(name, at + LogField[name]) || differs;
			}
			for (let n = 1; n < 32; n++) differs = differ(`x${n}`, at + LogField.x + 8 * n) || differs;
			if (differs) break;
			if (lines.length > kept + 8) lines.splice(kept, 1);
		}
		for (let n = 0; n < 32; n++) differ(`f${n}`, result + ResultField.f + 8 * n);
		resultCsrs.forEach((name, i) => void differ(name, result + ResultField.csr + 8 * i));
		for (const [address, length] of input.memory ?? []) {
			let shown = 0;
			for (let at = address; at < address + length && shown < 8; at += 8) {
				if (differ(`[${at.toString(16)}]`, at)) shown++;
			}
		}
		return lines.join('\n');
	}

	#at(image: Uint8Array, pc: bigint): string {
		const offset = Number(pc - BigInt(RAM));
		if (!(offset >= 0 && offset + 4 <= image.length)) return '';
		const word = new DataView(image.buffer, image.byteOffset).getUint32(offset, true);
		return disassemble(word, pc).replace(/0x[0-9a-f]{3}\b/, (text) => csrName(Number(text)) ?? text);
	}
}

const hex = (value: bigint): string => `0x${value.toString(16)}`;

function reader(image: Uint8Array): (address: number) => bigint {
	const view = new DataView(image.buffer, image.byteOffset, image.length);
	return (address) => view.getBigUint64(address - RAM, true);
}
