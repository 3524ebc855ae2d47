// Has the bundler link each group of trusted parts by itself, and notes how many bytes of which package it took: what is
// not in a group is absent from it. Called by the build, and by the tests' build from sources.
import { build } from 'esbuild';
import { allSelections, groupKey, INSTRUMENTS, type LinkedPart, trustGroups } from '../src/compose/trust.ts';

/** A package's part in a bundle. */
export interface LinkedPackage {
	readonly name: string;
	readonly bytes: number;
}

/**
 * Packages by group, the largest first.
 * @param from - folder of a package that depends on all modules of the parts
 */
export async function measureLinked(
	from: string,
	conditions: readonly string[] = [],
): Promise<Record<string, LinkedPackage[]>> {
	const groups = new Map(
		allSelections().flatMap((selection) => trustGroups(selection).map((group) => [groupKey(group), group])),
	);
	const measured: Record<string, LinkedPackage[]> = {};
	for (const [key, { parts }] of groups) measured[key] = await measure(parts, from, conditions);
	return measured;
}

async function measure(
	parts: readonly LinkedPart[],
	resolveDir: string,
	conditions: readonly string[],
): Promise<LinkedPackage[]> {
	const { metafile } = await build({
		stdin: {
			contents: parts.map(({ module, name }) => `export { ${name} } from '${module}';`).join('\n'),
			resolveDir,
		},
		conditions: [...conditions],
		bundle: true,
		minify: true,
		format: 'esm',
		target: 'es2022',
		metafile: true,
		write: false,
		logLevel: 'error',
	});
	const sizes = new Map<string, number>();
	for (const { inputs } of Object.values(metafile.outputs)) {
		for (const [file, { bytesInOutput }] of Object.entries(inputs)) {
			const name = packageOf(file);
			if (name !== undefined && !INSTRUMENTS.has(name) && bytesInOutput > 0)
				sizes.set(name, (sizes.get(name) ?? 0) + bytesInOutput);
		}
	}
	return Array.from(sizes, ([name, bytes]) => ({ name, bytes })).sort(
		(a, b) => b.bytes - a.bytes || (a.name < b.name ? -1 : 1),
	);
}

/** The package that a file is of; undefined for the list of parts itself. */
function packageOf(file: string): string | undefined {
	const own = /(?:^|\/)packages\/([^/]+)\/(?:src|dist)\//.exec(file)?.[1];
	if (own !== undefined) return `@partita/${own}`;
	return /node_modules\/((?:@[^/]+\/)?[^/]+)\/(?!.*node_modules\/)/.exec(file)?.[1];
}
