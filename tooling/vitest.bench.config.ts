// Benchmarks import the built package by name: what a user installs is what is timed.
import { defineConfig } from 'vitest/config';

export default defineConfig({
	test: { include: ['bench/**/*.bench.ts'], testTimeout: 600_000, fileParallelism: false },
});
