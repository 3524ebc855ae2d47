// Bundles the command line once for all tests that start it: a process then starts four times as fast as from sources.
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { build } from 'tsup';
import { measureLinked } from '../../build/linked.ts';

const ROOT = path.join(import.meta.dirname, '..', '..');
const FOLDER = path.join(ROOT, 'node_modules', '.cli');

/** The bundle. */
export const CLI: string = path.join(FOLDER, 'main.js');

export default async function setup(): Promise<void> {
	await build({
		config: false,
		entry: [path.join(ROOT, 'src', 'main.ts')],
		outDir: FOLDER,
		format: ['esm'],
		target: 'es2022',
		silent: true,
		clean: false,
		noExternal: [/^@partita\//],
		// CommonJS packages that are bundled along ask for Node's modules.
		banner: { js: "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);" },
		esbuildOptions(options) {
			options.conditions = ['@partita/source'];
		},
	});
	const linked = await measureLinked(path.join(ROOT, '..', '..', 'packages', 'system'), ['@partita/source']);
	writeFileSync(path.join(FOLDER, 'linked.json'), JSON.stringify(linked));
}
