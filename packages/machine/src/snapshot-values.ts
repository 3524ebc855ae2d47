/**
 * Plain values as bytes: what a snapshot's state is made of, undefined, null, booleans, numbers, bigints of 64 bits,
 * strings, typed arrays, arrays and objects. Little-endian, each value after a tag. It is not JSON: bigints and typed
 * arrays stay what they are, and numbers keep every bit.
 *
 * The reader takes bytes from anywhere: it never allocates more than the input is long, and never recurses deeper than
 * {@link MOST_DEPTH}.
 */

/** A value that can be written. */
export type PlainValue =
	| undefined
	| null
	| boolean
	| number
	| bigint
	| string
	| Uint8Array
	| Int32Array
	| Uint32Array
	| BigUint64Array
	| readonly PlainValue[]
	| { readonly [key: string]: PlainValue };

/** The bytes hold no value. */
export class ValueError extends Error {}

/** Levels of arrays and objects in each other. */
export const MOST_DEPTH = 32;

const Tag = {
	undefined: 0,
	null: 1,
	false: 2,
	true: 3,
	number: 4,
	bigint: 5,
	negative: 6,
	string: 7,
	array: 8,
	object: 9,
	bytes: 10,
	int32: 11,
	uint32: 12,
	uint64: 13,
} as const;

const U64 = 1n << 64n;

/** Writes a value. Throws `TypeError` for what is none, such as a function: that would be a bug of whoever has it. */
export function encodeValue(value: PlainValue): Uint8Array {
	const writer = new Writer();
	write(writer, value, 0);
	return writer.bytes();
}

/** Reads a value, which must be all of the bytes. Throws {@link ValueError}. */
export function decodeValue(bytes: Uint8Array): PlainValue {
	const reader = new Reader(bytes);
	const value = read(reader, 0);
	if (reader.left > 0) throw new ValueError(`${reader.left} bytes are left over`);
	return value;
}

function write(writer: Writer, value: PlainValue, depth: number): void {
	if (depth > MOST_DEPTH) throw new TypeError('the value is nested too deeply');
	if (value === undefined) writer.byte(Tag.undefined);
	else if (value === null) writer.byte(Tag.null);
	else if (typeof value === 'boolean') writer.byte(value ? Tag.true : Tag.false);
	else if (typeof value === 'number') {
		writer.byte(Tag.number);
		writer.float(value);
	} else if (typeof value === 'bigint') {
		const magnitude = value < 0n ? -value : value;
		if (magnitude >= U64) throw new TypeError('a bigint has more than 64 bits');
		writer.byte(value < 0n ? Tag.negative : Tag.bigint);
		writer.word64(magnitude);
	} else if (typeof value === 'string') {
		writer.byte(Tag.string);
		writer.text(value);
	} else if (value instanceof Uint8Array) writer.array(Tag.bytes, value);
	else if (value instanceof Int32Array) writer.array(Tag.int32, value);
	else if (value instanceof Uint32Array) writer.array(Tag.uint32, value);
	else if (value instanceof BigUint64Array) writer.array(Tag.uint64, value);
	else if (isArray(value)) {
		writer.byte(Tag.array);
		writer.word(value.length);
		for (const each of value) write(writer, each, depth + 1);
	} else if (Object.getPrototypeOf(value) === Object.prototype) {
		const entries = Object.entries(value);
		writer.byte(Tag.object);
		writer.word(entries.length);
		for (const [key, each] of entries) {
			writer.text(key);
			write(writer, each, depth + 1);
		}
	} else throw new TypeError(`a ${typeof value} is no plain value`);
}

function isArray(value: object): value is readonly PlainValue[] {
	return Array.isArray(value);
}

function read(reader: Reader, depth: number): PlainValue {
	if (depth > MOST_DEPTH) throw new ValueError('it is nested too deeply');
	const tag = reader.byte();
	switch (tag) {
		case Tag.undefined:
			return undefined;
		case Tag.null:
			return null;
		case Tag.false:
			return false;
		case Tag.true:
			return true;
		case Tag.number:
			return reader.float();
		case Tag.bigint:
			return reader.word64();
		case Tag.negative:
			return -reader.word64();
		case Tag.string:
			return reader.text();
		case Tag.array: {
			// Each element takes a byte at least.
			const array: PlainValue[] = [];
			for (let count = reader.count(1); count > 0; count--) array.push(read(reader, depth + 1));
			return array;
		}
		case Tag.object: {
			const entries: [string, PlainValue][] = [];
			for (let count = reader.count(5); count > 0; count--) entries.push([reader.text(), read(reader, depth + 1)]);
			// Not by assignment: a key may be __proto__.
			return Object.fromEntries(entries);
		}
		case Tag.bytes:
			return reader.part(reader.count(1)).slice();
		case Tag.int32:
			return new Int32Array(reader.part(reader.count(4) * 4).slice().buffer);
		case Tag.uint32:
			return new Uint32Array(reader.part(reader.count(4) * 4).slice().buffer);
		case Tag.uint64:
			return new BigUint64Array(reader.part(reader.count(8) * 8).slice().buffer);
		default:
			throw new ValueError(`there is no value with tag ${tag}`);
	}
}

class Writer {
	#bytes = new Uint8Array(1024);
	#view = new DataView(this.#bytes.buffer);
	#at = 0;

	bytes(): Uint8Array {
		return this.#bytes.slice(0, this.#at);
	}

	byte(value: number): void {
		this.#reserve(1);
		this.#bytes[this.#at++] = value;
	}

	word(value: number): void {
		this.#reserve(4);
		this.#view.setUint32(this.#at, value, true);
		this.#at += 4;
	}

	word64(value: bigint): void {
		this.#reserve(8);
		this.#view.setBigUint64(this.#at, value, true);
		this.#at += 8;
	}

	float(value: number): void {
		this.#reserve(8);
		this.#view.setFloat64(this.#at, value, true);
		this.#at += 8;
	}

	text(value: string): void {
		this.#part(new TextEncoder().encode(value));
	}

	array(tag: number, value: Uint8Array | Int32Array | Uint32Array | BigUint64Array): void {
		this.byte(tag);
		this.#part(new Uint8Array(value.buffer, value.byteOffset, value.byteLength), value.length);
	}

	#part(bytes: Uint8Array, count = bytes.length): void {
		this.word(count);
		this.#reserve(bytes.length);
		this.#bytes.set(bytes, this.#at);
		this.#at += bytes.length;
	}

	#reserve(count: number): void {
		if (this.#at + count <= this.#bytes.length) return;
		const larger = new Uint8Array(Math.max(this.#bytes.length * 2, this.#at + count));
		larger.set(this.#bytes);
		this.#bytes = larger;
		this.#view = new DataView(larger.buffer);
	}
}

class Reader {
	readonly #bytes: Uint8Array;
	readonly #view: DataView;
	#at = 0;

	constructor(bytes: Uint8Array) {
		this.#bytes = bytes;
		this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
	}

	get left(): number {
		return this.#bytes.length - this.#at;
	}

	byte(): number {
		return this.part(1)[0]!;
	}

	/** A number of things that take so many bytes each, at least. */
	count(each: number): number {
		this.#need(4);
		const count = this.#view.getUint32(this.#at, true);
		this.#at += 4;
		this.#need(count * each);
		return count;
	}

	word64(): bigint {
		this.#need(8);
		this.#at += 8;
		return this.#view.getBigUint64(this.#at - 8, true);
	}

	float(): number {
		this.#need(8);
		this.#at += 8;
		return this.#view.getFloat64(this.#at - 8, true);
	}

	text(): string {
		return new TextDecoder().decode(this.part(this.count(1)));
	}

	part(length: number): Uint8Array {
		this.#need(length);
		this.#at += length;
		return this.#bytes.subarray(this.#at - length, this.#at);
	}

	#need(length: number): void {
		if (this.left < length) throw new ValueError('it ends too early');
	}
}
