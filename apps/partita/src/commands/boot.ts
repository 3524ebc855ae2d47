// `partita boot`: wiring only; the work is in ../boot/.
import type { Command } from 'commander';
import { boot } from '../boot/boot.ts';
import { addBootFlags, type BootFlags } from '../boot/options.ts';
import { EXIT_STATUS_HELP } from '../exit-status.ts';

const NOTES = `
On a terminal, Ctrl-A X ends the run, Ctrl-A H helps, and Ctrl-A Ctrl-A sends a Ctrl-A to the guest.
${EXIT_STATUS_HELP}
Examples:
  partita boot                                        Debian to a shell
  partita boot --kernel Image --initrd root.cpio --append "console=ttyS0" --drive disk.img,overlay
  partita boot --bios none --kernel test.elf          a bare-metal program; its verdict is the exit status
  partita boot --net stream-listen:5000               a network; the other machine: --net stream:127.0.0.1:5000
`;

/** Adds the `boot` command. `setStatus` is given the exit status. */
export function registerBoot(program: Command, setStatus: (status: number) => void): void {
	addBootFlags(program.command('boot').description('boot a machine, as QEMU boots its `virt` board'))
		.addHelpText('after', NOTES)
		.action(async (flags: BootFlags) => setStatus(await boot(flags)));
}
