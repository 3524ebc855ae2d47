/**
 * Descriptions as text: YAML 1.2, of which JSON is a part. Problems then say the line and column. Nothing is read from files
 * here. Aliases are limited, so that a small file cannot become a large description.
 */
import { isMap, isNode, isPair, isSeq, LineCounter, type Node, parseDocument } from 'yaml';
import { checkSystem } from './check.ts';
import { type Path, type Problem, SystemError } from './problems.ts';
import type { System } from './system.ts';

/** Most characters of a description. */
const MOST_TEXT = 1 << 20;
const MOST_ALIASES = 100;

/**
 * Checks a description that is written in YAML or JSON.
 * @throws SystemError with everything that cannot be, by line and column
 */
export function readSystem(text: string): System {
	if (text.length > MOST_TEXT)
		throw new SystemError([
			{ place: '', reason: `the text has ${text.length} characters`, advice: `at most ${MOST_TEXT} are read` },
		]);
	const lines = new LineCounter();
	const document = parseDocument(text, { lineCounter: lines, prettyErrors: false });
	const position = (offset: number): { line: number; column: number } => {
		const { line, col } = lines.linePos(offset);
		return { line, column: col };
	};
	if (document.errors.length > 0) {
		throw new SystemError(
			document.errors.map(
				({ message, pos }): Problem => ({
					place: '',
					reason: `this is no YAML: ${message.split('\n')[0]}`,
					advice: 'correct the text there',
					position: position(pos[0]),
				}),
			),
		);
	}
	let description: unknown;
	try {
		description = document.toJS({ maxAliasCount: MOST_ALIASES });
	} catch (error) {
		const reason = error instanceof Error ? error.message : String(error);
		throw new SystemError([
			{ place: '', reason, advice: `use at most ${MOST_ALIASES} aliases, each after its anchor` },
		]);
	}
	try {
		return checkSystem(description);
	} catch (error) {
		if (!(error instanceof SystemError)) throw error;
		throw new SystemError(
			error.problems.map((problem) => {
				const offset = find(document.contents, pathOf(problem.place));
				return offset === undefined ? problem : { ...problem, position: position(offset) };
			}),
		);
	}
}

/** The steps of a place as `placeOf` writes it. */
function pathOf(place: string): Path {
	return Array.from(place.matchAll(/\[(\d+)\]|\[("(?:[^"\\]|\\.)*")\]|([\w-]+)/g), ([, index, quoted, name]) =>
		index === undefined ? (name ?? (JSON.parse(quoted!) as string)) : Number(index),
	);
}

/** Where the innermost part of a path that is in the text begins. */
function find(contents: Node | null, path: Path): number | undefined {
	let node: unknown = contents;
	let offset = contents?.range?.[0];
	for (const step of path) {
		if (isMap(node)) {
			const pair = node.items.find((item) => isPair(item) && String(item.key) === String(step));
			if (!pair) break;
			// The key says where: a value may be an alias to elsewhere.
			if (isNode(pair.key)) offset = pair.key.range?.[0] ?? offset;
			node = pair.value;
		} else if (isSeq(node) && typeof step === 'number') {
			node = node.items[step];
			if (isNode(node)) offset = node.range?.[0] ?? offset;
		} else break;
	}
	return offset;
}
