/** What the kernel finds on its board: registers of devices, and the memory that is for guests. */
import { HypervisorError } from './config.ts';
import type { HypervisorBoard, MmioRegisters } from './ports.ts';

const RAM = 0x8000_0000;
const PAGE = 4096;
/** Memory is looked for in steps of this. */
const STEP = 0x20_0000;

/**
 * Registers of a device, by their offset from `address`.
 * @throws HypervisorError at `place` where there is none
 */
export function registersAt(board: HypervisorBoard, place: string, address: number): MmioRegisters {
	const window = board.bus.find(address, 4);
	if (!window) throw new HypervisorError(place, `the board has no device at 0x${address.toString(16)}`);
	const { device } = window;
	const offset = address - window.base;
	return {
		read: (register, size) => device.read(offset + register, size),
		write: (register, size, value) => device.write(offset + register, size, value),
	};
}

/** The run of memory that is for guests: what was wanted, or all RAM. */
export function guestMemory(
	{ memory }: HypervisorBoard,
	wanted: { readonly base: number; readonly size: number } | undefined,
): { readonly address: number; readonly bytes: number } {
	if (wanted) {
		if (!memory.contains(wanted.base, wanted.size))
			throw new HypervisorError('memory', 'it is not all RAM of the board');
		return { address: wanted.base, bytes: wanted.size };
	}
	let end = RAM;
	while (memory.contains(end, STEP)) end += STEP;
	while (memory.contains(end, PAGE)) end += PAGE;
	if (end === RAM) throw new HypervisorError('memory', 'the board has no RAM at 0x80000000');
	return { address: RAM, bytes: end - RAM };
}
