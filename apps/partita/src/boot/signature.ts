// The signature of a RISC-V architecture test: the words from begin_signature to end_signature, as riscof wants them.
import type { PhysicalMemory } from '@partita/memory';
import { CommandError } from '../errors.ts';

const LIMIT = 64 * 2 ** 20;

/** Where the signature is. Throws CommandError where the program has none. */
export function findSignature(symbols: ReadonlyMap<string, bigint>): { start: number; bytes: number } {
	const begin = symbols.get('begin_signature');
	const end = symbols.get('end_signature');
	const bytes = Number((end ?? 0n) - (begin ?? 0n));
	if (begin === undefined || end === undefined || bytes < 0 || bytes > LIMIT || begin > BigInt(2 ** 52)) {
		throw new CommandError('--signature: the program has no signature', {
			why: 'its ELF file has no symbols begin_signature and end_signature in that order, at most 64 MiB apart',
		});
	}
	return { start: Number(begin), bytes };
}

/** The words as text: 32-bit hexadecimal, one a line. Throws CommandError where they are not in RAM. */
export function readSignature(memory: Pick<PhysicalMemory, 'read'>, at: { start: number; bytes: number }): string {
	const bytes = new Uint8Array(Math.ceil(at.bytes / 4) * 4);
	if (!memory.read(at.start, bytes.subarray(0, at.bytes)))
		throw new CommandError('--signature: the signature is not in RAM', { why: `it is at 0x${at.start.toString(16)}` });
	const view = new DataView(bytes.buffer);
	let text = '';
	for (let offset = 0; offset < bytes.length; offset += 4)
		text += `${view.getUint32(offset, true).toString(16).padStart(8, '0')}\n`;
	return text;
}
