// The long experiments: `pnpm --filter @partita/sched soak`.
import { defineConfig } from 'vitest/config';

export default defineConfig({
	test: { include: ['test/**/*.soak.ts'], testTimeout: 3_600_000 },
});
