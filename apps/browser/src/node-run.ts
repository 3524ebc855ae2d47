// A machine in a process of Node's: takes a Guest as JSON in its argument; prints its Outcome, and the CPU seconds that
// this process took, all threads.
import { readFile } from 'node:fs/promises';
import { type Guest, runGuest } from './run-guest.ts';

const outcome = await runGuest(JSON.parse(process.argv[2]!) as Guest, readFile);
const { user, system } = process.cpuUsage();
process.stdout.write(JSON.stringify({ outcome, cpuSeconds: (user + system) / 1e6 }));
