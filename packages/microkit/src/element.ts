/**
 * An element of a description while it is read: attributes as numbers, truth values and words, and refusals that say
 * where. Not here: which elements there are.
 */
import { MicrokitError } from './error.ts';
import type { XmlElement } from './xml.ts';

/** Bounds of a number, both inclusive. */
export interface Range {
	readonly from: number;
	readonly to: number;
}

/** See the file's head. */
export class Element {
	readonly #file: string;
	readonly #xml: XmlElement;

	/** Refuses attributes other than the named ones; without `attributes`, none are looked at yet. */
	constructor(file: string, xml: XmlElement, attributes?: readonly string[]) {
		this.#file = file;
		this.#xml = xml;
		if (!attributes) return;
		for (const name of xml.attributes.keys()) {
			if (attributes.includes(name)) continue;
			const known = attributes.length === 0 ? 'none' : attributes.join(', ');
			this.fail(`it has no attribute '${name}'; it has ${known}`);
		}
	}

	get name(): string {
		return this.#xml.name;
	}

	get place(): XmlElement['place'] {
		return this.#xml.place;
	}

	/** The elements in it, with their attributes not looked at yet. */
	get children(): readonly Element[] {
		return this.#xml.children.map((child) => new Element(this.#file, child));
	}

	/** The same element, refusing attributes other than the named ones. */
	allowing(...attributes: readonly string[]): Element {
		return new Element(this.#file, this.#xml, attributes);
	}

	/** Refuses the element. */
	fail(why: string): never {
		const name = this.#xml.attributes.get('name');
		throw new MicrokitError(this.#file, this.place, `<${this.name}>${name === undefined ? '' : ` '${name}'`}: ${why}`);
	}

	/** Refuses the element, as one that does not belong where it is. */
	unexpected(parent: string, known: readonly string[]): never {
		throw new MicrokitError(
			this.#file,
			this.place,
			`<${this.name}> does not belong in <${parent}>, which has ${known.map((name) => `<${name}>`).join(', ')}`,
		);
	}

	optional(attribute: string): string | undefined {
		return this.#xml.attributes.get(attribute);
	}

	required(attribute: string): string {
		return this.optional(attribute) ?? this.fail(`the attribute '${attribute}' is missing`);
	}

	/** `true` or `false`. */
	boolean(attribute: string, otherwise: boolean): boolean {
		const text = this.optional(attribute);
		if (text === undefined) return otherwise;
		if (text !== 'true' && text !== 'false') this.fail(`${attribute} is '${text}', and must be 'true' or 'false'`);
		return text === 'true';
	}

	/** One of some words. */
	choice<Word extends string>(attribute: string, words: readonly Word[], otherwise: Word): Word {
		const text = this.optional(attribute);
		if (text === undefined) return otherwise;
		const word = words.find((candidate) => candidate === text);
		return word ?? this.fail(`${attribute} is '${text}', and must be ${words.map((one) => `'${one}'`).join(' or ')}`);
	}

	/** A number in decimal or, after 0x, in hexadecimal; underscores may divide it. */
	number(attribute: string, range: Range): number {
		return this.parseNumber(attribute, this.required(attribute), range);
	}

	/** As {@link number}, where the attribute may be missing. */
	optionalNumber(attribute: string, range: Range): number | undefined {
		const text = this.optional(attribute);
		return text === undefined ? undefined : this.parseNumber(attribute, text, range);
	}

	/** A number in decimal only. */
	identifier(attribute: string, range: Range): number {
		const text = this.required(attribute);
		if (!/^[+-]?\d+$/.test(text)) this.fail(`${attribute} is '${text}', and must be a decimal number`);
		return this.#within(attribute, BigInt(text.replace(/^\+/, '')), range);
	}

	/** As {@link number}, of a text. */
	parseNumber(what: string, text: string, range: Range): number {
		const digits = text.replaceAll('_', '');
		if (!/^(0x[\da-fA-F]+|\d+)$/.test(digits))
			this.fail(`${what} is '${text}', and must be a decimal number, or a hexadecimal one after 0x`);
		return this.#within(what, BigInt(digits), range);
	}

	#within(what: string, value: bigint, { from, to }: Range): number {
		if (value >= BigInt(from) && value <= BigInt(to)) return Number(value);
		const show = (number: bigint | number): string => (to > 0xffff ? `0x${number.toString(16)}` : number.toString());
		return this.fail(`${what} is ${show(value)}, and must be within ${show(from)} to ${show(to)}`);
	}
}
