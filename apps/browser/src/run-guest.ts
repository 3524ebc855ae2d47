// Runs a guest in this thread, be it a worker of a page or a process of Node's: the part that both have in common.
import { Machine } from '@partita/machine';
import { type Parameters, setParameters } from '../../../packages/machine/bench/programs/parameters.ts';

/** Where the tests' server has the files of guests: their paths follow. */
export const GUEST_FILES = '/guests';

/** What to run; files are named by their paths. */
export interface Guest {
	readonly kernel: string;
	/** Starts the kernel under the built-in SBI, as a Linux. */
	readonly initrd?: string;
	/** For the programs of packages/machine/bench/programs. */
	readonly parameters?: Parameters;
	readonly memoryMiB: number;
	/** Runs until the console shows this; without it, until the guest ends. */
	readonly until?: string;
}

/** What a run came to. */
export interface Outcome {
	readonly reason: string;
	readonly traceHash: string;
	readonly executed: number;
	readonly console: string;
	/** Of the machine's start and run, in wall-clock time. */
	readonly milliseconds: number;
}

/** Instructions between two looks at the console. */
const PORTION = 1_000_000;

/** Runs a guest, and keeps its trace hash. */
export async function runGuest(guest: Guest, read: (name: string) => Promise<Uint8Array>): Promise<Outcome> {
	const kernel = await read(guest.kernel);
	const initrd = guest.initrd === undefined ? undefined : await read(guest.initrd);
	const began = performance.now();
	let text = '';
	const machine = new Machine({
		memory: guest.memoryMiB * 2 ** 20,
		images: initrd ? { firmware: 'builtin', kernel, initrd, append: 'console=ttyS0' } : { firmware: 'none', kernel },
		traceHash: true,
		console: (byte) => {
			text += String.fromCharCode(byte);
		},
	});
	if (guest.parameters) setParameters(machine.memory, guest.parameters);
	let { reason } = machine.run(PORTION);
	while (reason === 'limit' && !(guest.until && text.includes(guest.until))) reason = machine.run(PORTION).reason;
	return {
		reason,
		traceHash: machine.traceHash ?? '',
		executed: machine.executed,
		console: text,
		milliseconds: performance.now() - began,
	};
}
