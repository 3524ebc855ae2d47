#!/usr/bin/env node
// Starts the built command line. A checkout has to be built first, which `npm start` does.
import { existsSync } from 'node:fs';

const main = new URL('../dist/main.js', import.meta.url);
if (existsSync(main)) await import(main.href);
else {
	process.stderr.write('partita: this checkout is not built\n  try: npm start -- ARGUMENTS, in its root folder\n');
	process.exitCode = 125;
}
