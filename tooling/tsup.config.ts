// The one bundler configuration that every package shares.
import { defineConfig } from 'tsup';

export default defineConfig({
	entry: ['src/index.ts'],
	format: ['esm'],
	target: 'es2022',
	dts: true,
	sourcemap: true,
	clean: true,
});
