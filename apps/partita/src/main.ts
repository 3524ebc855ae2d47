// The entry point of `partita`.
import { runProgram } from './program.ts';

const status = await runProgram(process.argv.slice(2));
// An open standard input would keep the process alive.
process.exit(status);
