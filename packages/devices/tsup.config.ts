import { defineConfig, type Options } from 'tsup';
import shared from '../../tooling/tsup.config.ts';

export default defineConfig({ ...(shared as Options), entry: ['src/index.ts', 'src/testing/index.ts'] });
