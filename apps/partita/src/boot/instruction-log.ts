// `--log-instructions`: the first or the last instructions of a run, kept as numbers while it runs, and written as text,
// with disassembly and symbols, when it is over.
import { disassemble, instructionLength, type SymbolNames, symbolNames } from '@partita/riscv';
import type { LogFlag } from './values.ts';

const INITIAL = 4096;
/** Lines in one piece of the text. */
const PIECE = 4096;

/** Keeps the first or the last N instructions. */
export class InstructionLog {
	readonly #flag: LogFlag;
	#pcs = new BigUint64Array(INITIAL);
	#counts = new BigUint64Array(INITIAL);
	#words = new Uint32Array(INITIAL);
	#harts = new Uint8Array(INITIAL);
	/** Instructions seen. */
	#seen = 0;

	constructor(flag: LogFlag) {
		this.#flag = flag;
	}

	/**
	 * Takes an instruction that is about to execute.
	 * @param retired - instructions that the hart has retired before this one
	 */
	add(hart: number, retired: bigint, pc: bigint, word: number): void {
		const { keep, count } = this.#flag;
		if (keep === 'first' && this.#seen >= count) return;
		// A hart may look at an instruction several times before it executes it.
		const last = (this.#seen + count - 1) % count;
		if (this.#seen > 0 && this.#harts[last] === hart && this.#counts[last] === retired && this.#pcs[last] === pc)
			return;
		const at = this.#seen % count;
		if (at === this.#words.length) this.#grow(Math.min(at * 2, count));
		this.#pcs[at] = pc;
		this.#counts[at] = retired;
		this.#words[at] = word;
		this.#harts[at] = hart;
		this.#seen++;
	}

	/** The log: a line each of hart, count, pc, word, disassembly, and the symbol that the pc is in. */
	*text(symbols: ReadonlyMap<string, bigint>): Generator<Uint8Array> {
		const names = symbolNames(symbols);
		const encoder = new TextEncoder();
		const { count } = this.#flag;
		for (let index = Math.max(0, this.#seen - count); index < this.#seen; ) {
			let text = '';
			for (let lines = 0; lines < PIECE && index < this.#seen; lines++, index++)
				text += this.#line(index % count, names);
			yield encoder.encode(text);
		}
	}

	#line(at: number, symbols: SymbolNames): string {
		const pc = this.#pcs[at];
		const word = this.#words[at];
		const digits = word
			.toString(16)
			.padStart(instructionLength(word) * 2, '0')
			.padEnd(8);
		const code = disassemble(word, pc, { symbols }).replace('\t', ' ');
		const symbol = symbols.nearest(pc);
		const offset = symbol && pc - symbol.address;
		const where = symbol ? ` <${symbol.name}${offset ? `+0x${offset.toString(16)}` : ''}>` : '';
		return `${this.#harts[at]} ${this.#counts[at]} ${pc.toString(16).padStart(16, '0')} ${digits} ${code}${where}\n`;
	}

	#grow(length: number): void {
		const grown = <T extends BigUint64Array | Uint32Array | Uint8Array>(from: T, to: T): T => {
			to.set(from as never);
			return to;
		};
		this.#pcs = grown(this.#pcs, new BigUint64Array(length));
		this.#counts = grown(this.#counts, new BigUint64Array(length));
		this.#words = grown(this.#words, new Uint32Array(length));
		this.#harts = grown(this.#harts, new Uint8Array(length));
	}
}
