// The tests run in Chromium. Packages are resolved to what is built: what runs in a page is what users install.
import { resolve } from 'node:path';
import { playwright } from '@vitest/browser-playwright';
import { defineConfig } from 'vitest/config';
import { findChromium } from './src/chromium.ts';
import * as commands from './src/commands.ts';
import { guestFiles } from './src/guest-files.ts';
import { IMAGE_FOLDER } from './test/images.setup.ts';

const programs = resolve(import.meta.dirname, '../../packages/machine/bench/programs');
const chromium = findChromium();
if (chromium === undefined)
	console.warn('skipped: no Chromium is installed (Debian: chromium), and PARTITA_CHROMIUM names none');
// Chromium's sandbox refuses to run as root, as continuous integration often does.
const args = process.getuid?.() === 0 ? ['--no-sandbox'] : [];

export default defineConfig({
	plugins: [guestFiles([programs, IMAGE_FOLDER])],
	test: {
		include: ['test/**/*.test.ts'],
		testTimeout: 400_000,
		globalSetup: chromium === undefined ? [] : ['test/images.setup.ts'],
		provide: { chromium: chromium !== undefined, programs },
		browser: {
			// Where there is none, the tests are collected in Node, which skips them.
			enabled: chromium !== undefined,
			headless: true,
			// A busy machine may take long to start a browser.
			connectTimeout: 180_000,
			screenshotFailures: false,
			provider: playwright({ launchOptions: { ...(chromium && { executablePath: chromium }), args } }),
			instances: [{ browser: 'chromium' }],
			commands,
		},
	},
});

declare module 'vitest' {
	interface ProvidedContext {
		chromium: boolean;
		/** Folder of the benchmark programs. */
		programs: string;
	}
}
