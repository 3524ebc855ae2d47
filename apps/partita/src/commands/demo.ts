// `partita demo`: Linux on the machine, in one command. Fetches Debian's where it is not there yet, and boots it to a shell;
// where there is nobody to type, the shell says what it runs on and powers off.
import type { Command } from 'commander';
import { boot } from '../boot/boot.ts';
import { Dialogue } from '../boot/dialogue.ts';
import { describeError } from '../errors.ts';
import { ExitStatus } from '../exit-status.ts';
import { createProgress, ImagesError, pullDebian, resolveImages } from '../images/index.ts';

/** What the shell of the images prints when it waits for a line. */
const PROMPT = 'partita:~# ';

/** Adds the `demo` command. `setStatus` is given the exit status. */
export function registerDemo(program: Command, setStatus: (status: number) => void): void {
	program
		.command('demo')
		.description('fetch Debian once and boot it to a shell')
		.action(async () => setStatus(await demo()));
}

async function demo(): Promise<number> {
	if (!resolveImages() && !(await fetchImages())) return ExitStatus.failure;
	const interactive = process.stdin.isTTY === true;
	process.stderr.write(
		`Booting Debian's Linux on a RISC-V machine in this process${interactive ? '; Ctrl-A X ends it' : ''}.\n`,
	);
	const dialogue = interactive ? undefined : new Dialogue(PROMPT, ['uname -a', 'poweroff -f']);
	return await boot({ engine: 'default' }, dialogue);
}

async function fetchImages(): Promise<boolean> {
	const progress = createProgress(process.stderr);
	try {
		progress.step("Fetching Debian's Linux for RISC-V (once, about 120 MB)");
		await pullDebian({ progress });
		progress.end();
		return true;
	} catch (error) {
		progress.end();
		if (!(error instanceof ImagesError)) throw error;
		const { message, why } = error;
		const advice = [error.advice, 'or boot a kernel of your own: partita boot --kernel FILE']
			.filter(Boolean)
			.join('; ');
		process.stderr.write(`partita: ${describeError({ message, why, advice })}\n`);
		return false;
	}
}
