import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { defineConfig } from 'tsup';
import { measureLinked } from './build/linked.ts';

export default defineConfig({
	entry: ['src/main.ts'],
	format: ['esm'],
	target: 'es2022',
	sourcemap: true,
	clean: true,
	async onSuccess() {
		const linked = await measureLinked(path.resolve('..', '..', 'packages', 'system'));
		writeFileSync(path.join('dist', 'linked.json'), `${JSON.stringify(linked, undefined, '\t')}\n`);
	},
});
