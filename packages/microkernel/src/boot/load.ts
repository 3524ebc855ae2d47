/** Puts a program into an address space: its segments page by page, its stack, its IPC buffer. */
import { ElfError, readElf } from '@partita/riscv';
import { MicrokernelError } from '../config.ts';
import type { Thread } from '../thread.ts';
import { Register } from '../thread.ts';
import { type TableRecord, USER_TOP } from '../vspace.ts';
import type { BootContext } from './boot.ts';
import type { SystemBuilder } from './builder.ts';

const PAGE = 4096;
const DEFAULT_STACK = 16 * 1024;
/** Uppermost user page: the IPC buffer. Below it a hole, below that the stack, below that a hole. */
const BUFFER = USER_TOP - PAGE;
const STACK_TOP = BUFFER - PAGE;

interface PageContent {
	write: boolean;
	execute: boolean;
	readonly parts: { readonly offset: number; readonly bytes: Uint8Array }[];
}

/** What is loaded. */
export interface Program {
	/** An ELF executable. */
	readonly elf: Uint8Array;
	/** Bytes of stack. */
	readonly stack?: number;
}

/**
 * Loads a program and points its thread to the entry: sp is the top of the stack, a0 the address of the IPC buffer.
 * Throws a {@link MicrokernelError} for a file that cannot be loaded.
 */
export function loadProgram(
	what: string,
	{ elf, stack = DEFAULT_STACK }: Program,
	thread: Thread,
	root: TableRecord,
	builder: SystemBuilder,
	{ parts, memory }: BootContext,
): void {
	let file: ReturnType<typeof readElf>;
	try {
		file = readElf(elf);
	} catch (error) {
		if (!(error instanceof ElfError)) throw error;
		throw new MicrokernelError(`${what}.elf`, error.message);
	}
	const stackPages = Math.ceil(stack / PAGE);
	const top = STACK_TOP - (stackPages + 1) * PAGE;
	const pages = new Map<number, PageContent>();
	for (const segment of file.segments) {
		const { bytes, writable, executable } = segment;
		const start = Number(segment.virtualAddress);
		const memorySize = Number(segment.memorySize);
		if (!(start >= PAGE && start + memorySize <= top))
			throw new MicrokernelError(`${what}.elf`, `a segment at 0x${start.toString(16)} is outside of user memory`);
		if (memorySize > memory.size)
			throw new MicrokernelError(`${what}.elf`, `a segment of ${memorySize} bytes is more than there is memory`);
		for (let page = start - (start % PAGE); page < start + memorySize; page += PAGE) {
			const content = pages.get(page) ?? { write: false, execute: false, parts: [] };
			content.write ||= writable;
			content.execute ||= executable;
			const from = Math.max(page, start);
			const piece = bytes.subarray(from - start, page + PAGE - start);
			if (piece.length > 0) content.parts.push({ offset: from - page, bytes: piece });
			pages.set(page, content);
		}
	}
	for (const [address, { write, execute, parts: pieces }] of pages) {
		const physical = builder.mapFresh(what, root, address, { read: true, write, execute });
		for (const { offset, bytes } of pieces) parts.memory.write(physical + offset, bytes);
	}
	for (let page = 1; page <= stackPages; page++)
		builder.mapFresh(what, root, STACK_TOP - page * PAGE, { read: true, write: true, execute: false });
	builder.buffer(what, thread, root, BUFFER);
	parts.core.setPc(thread, file.entry);
	thread.words[Register.sp] = BigInt(STACK_TOP);
	thread.words[Register.a0] = BigInt(BUFFER);
}
