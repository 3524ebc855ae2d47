// The files that a machine boots from: those that were named, or Debian's where none was.
import { type BootImages, MachineError } from '@partita/machine';
import { CommandError } from '../errors.ts';
import { readWholeFile } from '../host/files.ts';
import { resolveImages } from '../images/index.ts';
import type { BootFlags } from './options.ts';

/** Kernel command line of the pulled images. */
export const DEBIAN_APPEND = 'console=ttyS0 earlycon=sbi';

/** Reads what the flags name. Throws CommandError where something is missing. */
export function loadImages(flags: BootFlags): BootImages {
	const debian = flags.kernel === undefined && flags.bios === undefined ? debianFiles() : undefined;
	const kernel = flags.kernel ?? debian?.kernel;
	const initrd = flags.initrd ?? debian?.initrd;
	const append = flags.append ?? (debian && DEBIAN_APPEND);
	const { bios = 'builtin', dtb } = flags;
	if (kernel === undefined && bios === 'builtin')
		throw new CommandError('--bios builtin: there is no kernel to start', { advice: '--kernel FILE' });
	return {
		firmware: bios === 'builtin' || bios === 'none' ? bios : readWholeFile('firmware', bios),
		...(kernel === undefined ? {} : { kernel: readWholeFile('kernel', kernel) }),
		...(initrd === undefined ? {} : { initrd: readWholeFile('initial RAM disk', initrd) }),
		...(append === undefined ? {} : { append }),
		...(dtb === undefined ? {} : { deviceTree: readWholeFile('devicetree', dtb) }),
	};
}

function debianFiles(): { kernel: string; initrd: string } {
	const images = resolveImages();
	if (images) return images;
	throw new CommandError('There is nothing to boot: no --kernel, and Debian is not on this computer', {
		advice: 'partita images pull debian; or name a kernel: partita boot --kernel FILE',
	});
}

/** The advice that goes with a MachineError, in this command line's words. */
export function asCommandError(error: unknown): unknown {
	if (!(error instanceof MachineError)) return error;
	return new CommandError(error.message, { advice: error.advice ?? '', cause: error });
}
