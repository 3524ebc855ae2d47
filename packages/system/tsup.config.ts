import { defineConfig } from 'tsup';
import shared from '../../tooling/tsup.config.ts';

export default defineConfig({
	...shared,
	entry: ['src/index.ts', 'src/hypervisor.ts', 'src/microkernel.ts', 'src/parts.ts'],
});
