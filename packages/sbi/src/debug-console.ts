/**
 * Debug console. RISC-V SBI 2.0, "Debug Console Extension (EID #0x4442434E "DBCN")", and "Shared memory physical address
 * range parameter".
 *
 * Both functions may do less than they were asked: {@link CONSOLE_BYTES} a call. The bytes that a call touches, and the
 * last one of the range, must be memory; a hole further on is found by the call that comes to it.
 */
import {
	type Extension,
	failure,
	physicalAddress,
	type SbiCall,
	type SbiMachine,
	type SbiReturn,
	success,
} from './call.ts';

/** Most bytes that one call moves. No more than a page, so that a range of them is in two pages at most. */
export const CONSOLE_BYTES = 4096;

/** DBCN. */
export const debugConsoleExtension: Extension = (machine, call) => {
	switch (call.function) {
		case 0:
			return write(machine, call);
		case 1:
			return read(machine, call);
		case 2:
			machine.ports.console.write(Uint8Array.of(Number(call.args[0] & 0xffn)));
			return success();
		default:
			return failure('NOT_SUPPORTED');
	}
};

/** The part of the range that this call moves, with what is in it; undefined where it is not memory. */
function sharedMemory(
	{ ports }: SbiMachine,
	[size, low, high]: readonly bigint[],
): { address: number; bytes: Uint8Array } | undefined {
	const address = physicalAddress(low, high);
	const last = physicalAddress(low + size - 1n, high);
	if (address === undefined || last === undefined) return undefined;
	const bytes = new Uint8Array(Math.min(last - address + 1, CONSOLE_BYTES));
	if (!ports.memory.read(address, bytes) || !ports.memory.read(last, new Uint8Array(1))) return undefined;
	return { address, bytes };
}

function write(machine: SbiMachine, { args }: SbiCall): SbiReturn {
	if (args[0] === 0n) return success();
	const range = sharedMemory(machine, args);
	if (range === undefined) return failure('INVALID_PARAM');
	machine.ports.console.write(range.bytes);
	return success(BigInt(range.bytes.length));
}

function read(machine: SbiMachine, { args }: SbiCall): SbiReturn {
	if (args[0] === 0n) return success();
	const range = sharedMemory(machine, args);
	if (range === undefined) return failure('INVALID_PARAM');
	const { address, bytes } = range;
	const { memory, console } = machine.ports;
	// Whether memory is writable is asked before input is taken that would be lost: one byte for each page.
	const writable =
		memory.write(address, bytes.subarray(0, 1)) && memory.write(address + bytes.length - 1, bytes.subarray(-1));
	if (!writable) return failure('INVALID_PARAM');
	const input = console.read(bytes.length);
	if (input.length > 0) memory.write(address, input);
	return success(BigInt(input.length));
}
