import { defineConfig } from 'vitest/config';

export default defineConfig({
	resolve: { conditions: ['@partita/source'] },
	ssr: { resolve: { conditions: ['@partita/source'] } },
	test: { projects: ['packages/*', 'apps/*'] },
});
