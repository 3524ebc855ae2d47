// Runs one guest on a machine in this process, whose CPU time is what bench-machine.mjs measures. The guest comes as JSON
// in the first argument; its console goes to standard output; the instructions executed, and for a session the CPU seconds
// at each prompt, go to file descriptor 3 as JSON, with what the translator did.
import { readFileSync, writeSync } from 'node:fs';
import { MEMORY_MIB, POWER_OFF, PROMPT, STAGES_ADDRESS } from './guests.mjs';

const { firmware, kernel, initrd, stages, steps = [], engine } = JSON.parse(process.argv[2]);
const { Machine } = await import(new URL('../../packages/machine/dist/index.js', import.meta.url).href);

/** The parent shows what stands on standard error. */
function fail(message) {
	process.stderr.write(`${message}\n`);
	process.exit(1);
}

let text = '';
const machine = new Machine({
	memory: MEMORY_MIB * 2 ** 20,
	images: {
		firmware: firmware ? readFileSync(firmware) : 'none',
		kernel: readFileSync(kernel),
		...(initrd ? { initrd: readFileSync(initrd), append: 'console=ttyS0' } : {}),
	},
	console: (byte) => {
		text += String.fromCharCode(byte);
	},
	...(engine === undefined ? {} : { engine }),
});
// A machine that does not know the option would run its interpreter without a word.
if (engine !== undefined && engine !== 'interpreter' && machine.translatorStats === undefined)
	fail(`--engine ${engine}: this build of the machine has no translator`);
if (stages === 2) machine.memory.write(STAGES_ADDRESS, Uint8Array.of(2));

const prompts = [];
for (;;) {
	const result = machine.run(1_000_000);
	if (prompts.length < steps.length && text.includes(PROMPT)) {
		const { user, system } = process.cpuUsage();
		prompts.push({ seconds: (user + system) / 1e6, instructions: machine.executed });
		const line = steps[prompts.length]?.line ?? POWER_OFF;
		writeSync(1, text);
		text = '';
		machine.receive(new TextEncoder().encode(`${line}\n`));
	} else if (result.reason === 'idle' && result.next === undefined)
		fail(`the guest sleeps for ever; it printed:\n${text.slice(-500)}`);
	if (result.reason !== 'ended') continue;
	writeSync(1, text);
	writeSync(3, JSON.stringify({ instructions: machine.executed, prompts, translator: machine.translatorStats }));
	process.exitCode = result.ending.code;
	break;
}
