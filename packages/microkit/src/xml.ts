/**
 * XML as `.system` files use it: elements and attributes, each element with its place. Text, document types and entities
 * of the file's own are refused, since the format has none. Not here: what elements mean.
 */
import { XMLParser, XMLValidator } from 'fast-xml-parser';
import { MicrokitError, type Place } from './error.ts';

/** An element. */
export interface XmlElement {
	readonly name: string;
	readonly attributes: ReadonlyMap<string, string>;
	readonly children: readonly XmlElement[];
	/** Of its `<`. */
	readonly place: Place;
}

/** Characters of the longest file that is read. */
const MOST_CHARACTERS = 4 << 20;
/** Elements within elements: more than 63 protection domains, which is all that a system can have. */
const MOST_LEVELS = 80;

const START: unique symbol = XMLParser.getMetaDataSymbol() as never;

/** A node as the parser yields it: one key is its name, or `#text`; `:@` has the attributes. */
interface ParsedNode {
	readonly [START]?: { readonly startIndex?: number };
	readonly [name: string]: unknown;
}

/** Reads a file whose only element at the top is `root`. Throws a {@link MicrokitError} for anything else. */
export function readXml(file: string, source: string, root: string): XmlElement {
	if (source.length > MOST_CHARACTERS)
		throw new MicrokitError(
			file,
			undefined,
			`it has ${source.length} characters, and at most ${MOST_CHARACTERS} are read`,
		);
	const text = withoutComments(file, source.replace(/^\uFEFF/, '').replace(/\r\n?/g, '\n'));
	const places = new Places(text);
	refuseDeclarations(file, text, places);
	const valid = XMLValidator.validate(text);
	if (valid !== true) {
		const { line, col, msg } = valid.err;
		throw new MicrokitError(file, { line, column: col ?? 1 }, `it is no XML: ${msg}`);
	}
	let nodes: readonly ParsedNode[];
	try {
		nodes = new XMLParser({
			preserveOrder: true,
			ignoreAttributes: false,
			attributeNamePrefix: '',
			ignoreDeclaration: true,
			parseTagValue: false,
			parseAttributeValue: false,
			trimValues: false,
			captureMetaData: true,
			maxNestedTags: MOST_LEVELS,
		}).parse(text) as ParsedNode[];
	} catch (error) {
		throw new MicrokitError(file, undefined, `it is no XML: ${error instanceof Error ? error.message : String(error)}`);
	}
	const elements = elementsOf(file, nodes, places, undefined);
	const [first, second] = elements;
	if (!first) throw new MicrokitError(file, undefined, `it has no element <${root}>`);
	if (first.name !== root)
		throw new MicrokitError(file, first.place, `the file's element is <${first.name}>, and must be <${root}>`);
	if (second) throw new MicrokitError(file, second.place, `<${second.name}> stands after <${root}>, which must be all`);
	return first;
}

/** Comments become spaces, so that all that is left keeps its place. */
function withoutComments(file: string, text: string): string {
	return text.replace(/<!--[\s\S]*?(-->|$)/g, (comment, end: string, at: number) => {
		if (end === '') throw new MicrokitError(file, new Places(text).at(at), 'the comment has no end: --> is missing');
		return comment.replace(/[^\n]/g, ' ');
	});
}

function refuseDeclarations(file: string, text: string, places: Places): void {
	const type = text.search(/<!(DOCTYPE|ENTITY|ELEMENT|ATTLIST)/i);
	if (type >= 0)
		throw new MicrokitError(file, places.at(type), 'document types are not read: take the declaration out');
	const entity = text.search(/&(?!(amp|lt|gt|quot|apos|#\d{1,7}|#x[\da-fA-F]{1,6});)/);
	if (entity >= 0) throw new MicrokitError(file, places.at(entity), '& begins no known entity: write &amp;');
}

function elementsOf(
	file: string,
	nodes: readonly ParsedNode[],
	places: Places,
	within: XmlElement | undefined,
): XmlElement[] {
	const elements: XmlElement[] = [];
	for (const node of nodes) {
		const name = Object.keys(node).find((key) => key !== ':@');
		if (name === undefined || name.startsWith('?')) continue;
		const value = node[name];
		if (name === '#text') {
			if (String(value).trim() === '') continue;
			throw new MicrokitError(file, within?.place, `text is not allowed${within ? ` in <${within.name}>` : ''}`);
		}
		const element = {
			name,
			attributes: new Map(Object.entries((node[':@'] ?? {}) as Record<string, string>)),
			children: [] as XmlElement[],
			place: places.at(node[START]?.startIndex ?? 0),
		};
		element.children.push(...elementsOf(file, value as readonly ParsedNode[], places, element));
		elements.push(element);
	}
	return elements;
}

/** Lines and columns of offsets. */
class Places {
	readonly #starts: number[] = [0];

	constructor(text: string) {
		for (let at = text.indexOf('\n'); at >= 0; at = text.indexOf('\n', at + 1)) this.#starts.push(at + 1);
	}

	at(offset: number): Place {
		let low = 0;
		for (let high = this.#starts.length; high - low > 1; ) {
			const middle = (low + high) >> 1;
			if (this.#starts[middle]! <= offset) low = middle;
			else high = middle;
		}
		return { line: low + 1, column: offset - this.#starts[low]! + 1 };
	}
}
