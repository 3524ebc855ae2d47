/** What is wrong with a description: where, why, and what to do. */

/** One thing that cannot be. */
export interface Problem {
	/** Place in the description, such as `cells[1].vm.memory`; empty for the whole. */
	readonly place: string;
	/** Why it cannot be. */
	readonly reason: string;
	/** What to do about it. */
	readonly advice: string;
	/** Line and column in the text, from 1, where the description was read from one. */
	readonly position?: { readonly line: number; readonly column: number };
}

/** A problem as one line of text, its advice apart. */
export function describeProblem({ place, reason, position }: Problem): string {
	const at = position ? `${position.line}:${position.column}: ` : '';
	return `${at}${place === '' ? '' : `${place}: `}${reason}`;
}

/** A description that cannot be. Nothing has started. */
export class SystemError extends Error {
	override readonly name = 'SystemError';
	/** All that was found, at least one. */
	readonly problems: readonly Problem[];

	constructor(problems: readonly Problem[]) {
		super(problems.map((problem) => `${describeProblem(problem)} (${problem.advice})`).join('\n'));
		this.problems = problems;
	}
}

/** Steps from the whole of a description to a part of it. */
export type Path = readonly (string | number)[];

/** A path as text: `cells[1].vm.memory`; names that are no identifiers are quoted. */
export function placeOf(path: Path): string {
	let text = '';
	for (const step of path) {
		if (typeof step === 'number') text += `[${step}]`;
		else if (/^[A-Za-z_][\w-]*$/.test(step)) text += text === '' ? step : `.${step}`;
		else text += `[${JSON.stringify(step)}]`;
	}
	return text;
}
