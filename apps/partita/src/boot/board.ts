// The machine that the flags describe, with the host behind its devices: files, sockets.
import { writeFdt } from '@partita/fdt';
import { type BootImages, Machine, type VirtioDescription, virtDeviceTree } from '@partita/machine';
import type { ConsoleOutput } from '../host/console-output.ts';
import { type Complain, FileDrive } from '../host/file-drive.ts';
import { asCommandError, loadImages } from './images.ts';
import { type BootFlags, DEFAULT_MEMORY, DEFAULT_WALL_CLOCK } from './options.ts';

/** A machine and what it holds open. */
export interface Board {
	readonly machine: Machine;
	close(): void;
}

/** Builds it. Throws CommandError, with everything closed again, where something cannot be used. */
export function buildBoard(flags: BootFlags, output: ConsoleOutput, complain: Complain): Board {
	const images = loadImages(flags);
	const open: { close(): void }[] = [];
	const close = (): void => {
		for (const thing of open.splice(0)) thing.close();
	};
	try {
		const virtio: VirtioDescription[] = [];
		for (const { file, readOnly } of flags.drive ?? []) {
			const drive = new FileDrive(file, readOnly, complain);
			open.push(drive);
			virtio.push({ kind: 'block', backend: drive });
		}
		const machine = new Machine({
			harts: flags.harts ?? 1,
			memory: flags.memory ?? DEFAULT_MEMORY,
			images,
			virtio,
			console: (byte) => output.write(byte),
			wallClock: flags.wallClock ?? DEFAULT_WALL_CLOCK,
			seed: flags.seed ?? 1,
			traceHash: flags.traceHash ?? false,
		});
		return { machine, close };
	} catch (error) {
		close();
		throw asCommandError(error);
	}
}

/** The devicetree blob that a guest would find. */
export function dumpDeviceTree(flags: BootFlags): Uint8Array {
	const memory = flags.memory ?? DEFAULT_MEMORY;
	const harts = flags.harts ?? 1;
	if (flags.kernel === undefined && flags.bios !== undefined && ['builtin', 'none'].includes(flags.bios)) {
		const append = flags.append === undefined ? {} : { append: flags.append };
		return writeFdt(virtDeviceTree({ harts, memory, supervisorOnly: flags.bios === 'builtin', ...append }));
	}
	try {
		const images: BootImages = loadImages(flags);
		return new Machine({ harts, memory, images, seed: flags.seed ?? 1 }).boot.blob;
	} catch (error) {
		throw asCommandError(error);
	}
}
