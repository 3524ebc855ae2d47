// Tests import packages by name and get their sources: no build is needed.
import { defineConfig } from 'vitest/config';

export default defineConfig({
	resolve: { conditions: ['@partita/source'] },
	ssr: { resolve: { conditions: ['@partita/source'] } },
	test: { include: ['src/**/*.test.ts', 'test/**/*.test.ts'], testTimeout: 60_000 },
});
