/**
 * Messages: their words, in registers and IPC buffers, and their capabilities, from one thread to another. seL4 reference
 * manual, "Message Passing (IPC)", "Capability Transfer". Not here: who sends to whom (`@partita/ipc`).
 */
import {
	type CapabilityId,
	type CapabilitySpace,
	LookupFailureKind,
	ObjectKind,
	Rights,
	type Slot,
} from '@partita/capability';
import type { KernelCore } from './core.ts';
import { decodeMessageInfo, encodeMessageInfo, IPC_BUFFER_BYTES, MESSAGE_WORDS, REGISTER_WORDS } from './message.ts';
import type { KernelMemory } from './parts.ts';
import { Register, TcbSlot, type Thread } from './thread.ts';

/** Words of an IPC buffer: tag, msg[120], userData, capsOrBadges[3], receiveCNode, receiveIndex, receiveDepth. */
const BufferWord = { message: 1, capabilities: 122, receiveCNode: 125, receiveIndex: 126, receiveDepth: 127 } as const;
const BUFFER_WORDS = IPC_BUFFER_BYTES / 8;
/** Fields of a message info word. */
const LENGTH = 0x7f;
const EXTRA_CAPS = 3 << 7;
const UNWRAPPED = 7 << 9;

/** An IPC buffer that can be used: where it is. */
type Buffer = { readonly physical: number } | { readonly words: BigUint64Array };

/** See the file's head. */
export class MessageTransfer {
	readonly #core: KernelCore;
	readonly #space: CapabilitySpace;
	readonly #memory: KernelMemory;
	readonly #bytes = new Uint8Array(IPC_BUFFER_BYTES);
	readonly #words = new BigUint64Array(this.#bytes.buffer);

	constructor(core: KernelCore, space: CapabilitySpace, memory: KernelMemory) {
		this.#core = core;
		this.#space = space;
		this.#memory = memory;
	}

	// Buffers.

	#buffer(thread: Thread, write: boolean): Buffer | undefined {
		if (thread.buffer) return { words: thread.buffer };
		if (thread.bufferAddress === 0) return undefined;
		const space = this.#space;
		const frame = space.at(space.slot(thread.id, TcbSlot.buffer));
		if (frame === 0) return undefined;
		const needed = write ? Rights.Read | Rights.Write : Rights.Read;
		if ((space.rights(frame) & needed) !== needed) return undefined;
		const object = space.object(frame);
		if (space.isDevice(object)) return undefined;
		return { physical: space.address(object) + (thread.bufferAddress % 2 ** space.sizeBits(object)) };
	}

	#load(buffer: Buffer, first: number, count: number): BigUint64Array {
		const words = this.#words.subarray(0, count);
		if ('words' in buffer) words.set(buffer.words.subarray(first, first + count));
		else this.#memory.read(buffer.physical + 8 * first, this.#bytes.subarray(0, 8 * count));
		return words;
	}

	#store(buffer: Buffer, first: number, words: ArrayLike<bigint>): void {
		if ('words' in buffer) {
			for (let i = 0; i < words.length; i++) buffer.words[first + i] = words[i]!;
			return;
		}
		for (let i = 0; i < words.length; i++) this.#words[i] = words[i]!;
		this.#memory.write(buffer.physical + 8 * first, this.#bytes.subarray(0, 8 * words.length));
	}

	// Words.

	/** Words of a thread's message, as far as its buffer has them; 0 beyond. */
	words(thread: Thread, count: number): bigint[] {
		const registers = this.#core.words(thread);
		const words: bigint[] = [];
		for (let i = 0; i < Math.min(count, REGISTER_WORDS); i++) words.push(registers[Register.a2 + i]!);
		if (count > REGISTER_WORDS) {
			const buffer = this.#buffer(thread, false);
			const rest = count - REGISTER_WORDS;
			if (buffer) words.push(...this.#load(buffer, BufferWord.message + REGISTER_WORDS, rest));
			else for (let i = 0; i < rest; i++) words.push(0n);
		}
		return words;
	}

	/** How much of a message of `length` words a thread has: without a buffer, what is in registers. */
	available(thread: Thread, length: number): number {
		return length > REGISTER_WORDS && !this.#buffer(thread, false) ? REGISTER_WORDS : length;
	}

	/** All words that a thread's buffer has for messages: those of registers are as they were last put there. */
	bufferMessage(thread: Thread): bigint[] {
		const buffer = this.#buffer(thread, false);
		return buffer ? [...this.#load(buffer, BufferWord.message, MESSAGE_WORDS)] : [];
	}

	/**
	 * Gives a thread a message, or puts one into its registers and buffer that it is to send.
	 * @param pointers - of capabilities that it sends along, at most three
	 * @returns how many of the words it got
	 */
	give(
		thread: Thread,
		badge: bigint,
		label: number,
		words: readonly bigint[],
		pointers: readonly bigint[] = [],
	): number {
		const length = this.#put(thread, words.slice(0, MESSAGE_WORDS));
		const buffer = pointers.length > 0 ? this.#buffer(thread, true) : undefined;
		if (buffer) this.#store(buffer, BufferWord.capabilities, pointers);
		this.#header(thread, badge, label, 0, buffer ? pointers.length : 0, length);
		return length;
	}

	#header(thread: Thread, badge: bigint, label: number, unwrapped: number, extraCaps: number, length: number): void {
		const registers = this.#core.words(thread);
		registers[Register.a0] = badge;
		registers[Register.a1] = encodeMessageInfo({ label, unwrapped, extraCaps, length });
	}

	#put(thread: Thread, words: readonly bigint[]): number {
		const registers = this.#core.words(thread);
		for (let i = 0; i < Math.min(words.length, REGISTER_WORDS); i++) registers[Register.a2 + i] = words[i]!;
		if (words.length <= REGISTER_WORDS) return words.length;
		const buffer = this.#buffer(thread, true);
		if (!buffer) return REGISTER_WORDS;
		this.#store(buffer, BufferWord.message + REGISTER_WORDS, words.slice(REGISTER_WORDS));
		return words.length;
	}

	// Capabilities.

	/** Capability pointers that a thread sends along. */
	pointers(thread: Thread, count: number): bigint[] {
		if (count === 0) return [];
		const buffer = this.#buffer(thread, false);
		return buffer ? [...this.#load(buffer, BufferWord.capabilities, count)] : [];
	}

	/** The capability that a pointer of a thread's names; 0: an empty slot; undefined: the pointer leads nowhere. */
	#find(thread: Thread, pointer: bigint): CapabilityId | undefined {
		const found = this.#space.lookup(this.root(thread), Number(pointer & 0xffff_ffffn), Number(pointer >> 32n));
		if (typeof found === 'number') return found;
		return found.kind === LookupFailureKind.MissingCapability ? 0 : undefined;
	}

	/** The root of a thread's capability space, or 0. */
	root(thread: Thread): CapabilityId {
		return this.#space.held(thread.id, TcbSlot.cspace);
	}

	/**
	 * A message from one thread to another.
	 * @param endpoint - capabilities to it come unwrapped, as their badges; 0: none
	 * @param grant - whether capabilities go along
	 * @returns its words
	 */
	copy(from: Thread, to: Thread, endpoint: number, badge: bigint, grant: boolean): number {
		const source = this.#core.halves(from);
		const low = source[2 * Register.a1]!;
		const short = low & LENGTH;
		if (short <= REGISTER_WORDS && (!grant || (low & EXTRA_CAPS) === 0)) {
			this.#copyRegisters(source, to, badge, short);
			return short;
		}
		const info = decodeMessageInfo(this.#core.words(from)[Register.a1]!);
		const length = this.#put(to, this.words(from, this.available(from, info.length)));
		const { unwrapped, count } = grant
			? this.#capabilities(from, to, endpoint, info.extraCaps)
			: { unwrapped: 0, count: 0 };
		this.#header(to, badge, info.label, unwrapped, count, length);
		if (length > REGISTER_WORDS) this.#core.pay('ipcTransfer', length - REGISTER_WORDS);
		return length;
	}

	/** What is in registers goes without decoding: the common case. */
	#copyRegisters(source: Uint32Array, to: Thread, badge: bigint, length: number): void {
		const target = this.#core.halves(to);
		for (let half = 2 * Register.a2; half < 2 * (Register.a2 + length); half++) target[half] = source[half]!;
		target[2 * Register.a1] = (source[2 * Register.a1]! & ~(EXTRA_CAPS | UNWRAPPED)) >>> 0;
		target[2 * Register.a1 + 1] = source[2 * Register.a1 + 1]!;
		this.#core.words(to)[Register.a0] = badge;
	}

	#capabilities(from: Thread, to: Thread, endpoint: number, extra: number): { unwrapped: number; count: number } {
		const space = this.#space;
		const buffer = extra > 0 ? this.#buffer(to, true) : undefined;
		if (!buffer) return { unwrapped: 0, count: 0 };
		const found = this.pointers(from, extra).map((pointer) => this.#find(from, pointer));
		// A pointer that leads nowhere: none goes along.
		if (found.includes(undefined)) return { unwrapped: 0, count: 0 };
		let unwrapped = 0;
		let count = 0;
		let destination: Slot | undefined | 'unknown' = 'unknown';
		for (const capability of found as CapabilityId[]) {
			if (capability === 0) break;
			if (space.kind(capability) === ObjectKind.Endpoint && space.object(capability) === endpoint) {
				this.#store(buffer, BufferWord.capabilities + count, [space.word(capability)]);
				unwrapped |= 1 << count;
			} else {
				if (destination === 'unknown') destination = this.#receiveSlot(to, buffer);
				if (destination === undefined || space.copy(destination, space.slotOf(capability), Rights.All) !== undefined)
					break;
				this.#core.pay('capabilityOperation');
				destination = undefined;
			}
			count++;
		}
		return { unwrapped, count };
	}

	#receiveSlot(thread: Thread, buffer: Buffer): Slot | undefined {
		const space = this.#space;
		const [pointer = 0n, index = 0n, depth = 0n] = this.#load(
			buffer,
			BufferWord.receiveCNode,
			BUFFER_WORDS - BufferWord.receiveCNode,
		).slice();
		const node = this.#find(thread, pointer);
		if (!node || !(depth >= 1n && depth <= 64n)) return undefined;
		const found = space.resolve(node, index, Number(depth));
		if ('kind' in found || found.bitsLeft !== 0 || space.at(found.slot) !== 0) return undefined;
		return found.slot;
	}
}
