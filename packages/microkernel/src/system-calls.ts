/**
 * System calls: sending, receiving, yielding, debugging. seL4 reference manual, "System Calls"; syscall.xml. Not here: what
 * kernel objects do (invocations/), what becomes of messages (`@partita/ipc`).
 */
import {
	CapabilityError,
	type CapabilityFailure,
	type CapabilityId,
	type LookupFailure,
	LookupFailureKind,
	lookupWords,
	messageRegisters,
	ObjectKind,
	Rights,
} from '@partita/capability';
import { type Invocation, NO_SLOT, type Outcome } from './invocation.ts';
import { invoke } from './invocations/index.ts';
import { decodeMessageInfo } from './message.ts';
import type { KernelParts } from './parts.ts';
import type { SystemCallName } from './profile.ts';
import { PC, Register, type Thread } from './thread.ts';

/** The invoked capability is none, or cannot be used so. */
const NO_CAPABILITY: CapabilityFailure = { error: CapabilityError.InvalidCapability, capability: 0 };
const MISSING: LookupFailure = { kind: LookupFailureKind.MissingCapability, bitsLeft: 0 };

/** What DebugCapIdentify says of capabilities, by kind; of none it says 0. */
const TAGS: ReadonlyMap<number, number> = new Map([
	[ObjectKind.Page, 1],
	[ObjectKind.MegaPage, 1],
	[ObjectKind.GigaPage, 1],
	[ObjectKind.Untyped, 2],
	[ObjectKind.PageTable, 3],
	[ObjectKind.Endpoint, 4],
	[ObjectKind.Notification, 6],
	[ObjectKind.Reply, 8],
	[ObjectKind.CNode, 10],
	[ObjectKind.AsidControl, 11],
	[ObjectKind.Tcb, 12],
	[ObjectKind.AsidPool, 13],
	[ObjectKind.IrqControl, 14],
	[ObjectKind.IrqHandler, 16],
	[ObjectKind.Domain, 20],
	[ObjectKind.SchedContext, 22],
	[ObjectKind.SchedControl, 24],
]);

/** System calls that name a capability. */
const LOOKS_UP: ReadonlySet<SystemCallName> = new Set<SystemCallName>([
	'Call',
	'Send',
	'NBSend',
	'Recv',
	'NBRecv',
	'Wait',
	'NBWait',
	'NBSendRecv',
	'NBSendWait',
]);

/** How a message is sent. */
interface Sending {
	/** The sender waits for a receiver, and faults where the capability cannot be found. */
	readonly blocking: boolean;
	readonly call: boolean;
	/** A passive receiver gets the sender's scheduling context for good. */
	readonly donate: boolean;
}

const CALL: Sending = { blocking: true, call: true, donate: true };
const SEND: Sending = { blocking: true, call: false, donate: false };
const TRY: Sending = { blocking: false, call: false, donate: false };
const TRY_AND_DONATE: Sending = { blocking: false, call: false, donate: true };

/** See the file's head. */
export class SystemCalls {
	readonly #parts: KernelParts;
	readonly #names = new Map<number, SystemCallName>();

	constructor(parts: KernelParts) {
		this.#parts = parts;
		for (const [name, number] of Object.entries(parts.profile.systemCalls))
			if (number !== undefined) this.#names.set(number, name as SystemCallName);
	}

	/** The name of a system call, as a7 says it. */
	name(number: bigint): SystemCallName | undefined {
		const value = BigInt.asIntN(64, number);
		return value >= -1024n && value < 0n ? this.#names.get(Number(value)) : undefined;
	}

	/** Does a system call of the current thread, whose pc has been moved behind it. */
	handle(thread: Thread, name: SystemCallName): void {
		const { core } = this.#parts;
		const { a0, a6, t0 } = Register;
		// What ReplyRecv looks up is in its published figure.
		if (LOOKS_UP.has(name)) core.pay('capabilityLookup', 1);
		switch (name) {
			case 'Call':
				this.#send(thread, a0, CALL);
				return;
			case 'Send':
				this.#send(thread, a0, SEND);
				return;
			case 'NBSend':
				this.#send(thread, a0, TRY);
				return;
			case 'Recv':
				this.#receive(thread, a0, a6, true);
				return;
			case 'NBRecv':
				this.#receive(thread, a0, a6, false);
				return;
			case 'Wait':
				this.#receive(thread, a0, undefined, true);
				return;
			case 'NBWait':
				this.#receive(thread, a0, undefined, false);
				return;
			case 'ReplyRecv':
				// Whatever the second capability is, it is sent to.
				if (this.#send(thread, a6, TRY_AND_DONATE)) this.#receive(thread, a0, a6, true);
				return;
			case 'NBSendRecv':
				if (this.#send(thread, t0, TRY_AND_DONATE)) this.#receive(thread, a0, a6, true);
				return;
			case 'NBSendWait':
				if (this.#send(thread, a6, TRY_AND_DONATE)) this.#receive(thread, a0, undefined, true);
				return;
			case 'Yield':
				core.policy.yield(thread.id, core.now);
				return;
			case 'SetTLSBase':
				core.words(thread)[Register.tp] = core.words(thread)[a0]!;
				return;
			default:
				this.#debug(thread, name);
		}
	}

	#debug(thread: Thread, name: SystemCallName): void {
		const { core, space, transfer } = this.#parts;
		const words = core.words(thread);
		switch (name) {
			case 'DebugPutChar':
				this.#parts.debug(thread.name, Number(words[Register.a0]! & 0xffn));
				return;
			case 'DebugHalt':
				core.board.end({ reason: 'power-off', code: 0 });
				return;
			case 'DebugCapIdentify': {
				const found = this.#find(thread, words[Register.a0]!);
				words[Register.a0] = BigInt(typeof found === 'number' && found !== 0 ? (TAGS.get(space.kind(found)) ?? 0) : 0);
				return;
			}
			case 'DebugNameThread': {
				const found = this.#find(thread, words[Register.a0]!);
				if (typeof found !== 'number' || found === 0 || space.kind(found) !== ObjectKind.Tcb) return;
				const bytes = new Uint8Array(BigUint64Array.from(transfer.bufferMessage(thread)).buffer);
				const end = bytes.indexOf(0);
				if (end > 0) core.threads.get(space.object(found))!.name = new TextDecoder().decode(bytes.subarray(0, end));
				return;
			}
			default:
		}
	}

	/** The capability that a pointer names; 0 where it leads to an empty slot. */
	#find(thread: Thread, pointer: bigint): CapabilityId | LookupFailure {
		return this.#lookup(thread, Number(pointer & 0xffff_ffffn), Number(pointer >> 32n));
	}

	/** The same for the pointer in a register. */
	#named(thread: Thread, register: number): CapabilityId | LookupFailure {
		const halves = this.#parts.core.halves(thread);
		return this.#lookup(thread, halves[2 * register]!, halves[2 * register + 1]!);
	}

	#lookup(thread: Thread, low: number, high: number): CapabilityId | LookupFailure {
		const found = this.#parts.space.lookup(this.#parts.transfer.root(thread), low, high);
		return typeof found !== 'number' && found.kind === LookupFailureKind.MissingCapability ? 0 : found;
	}

	#capFault(thread: Thread, pointer: bigint, receiving: boolean, failure: LookupFailure): void {
		const words = [thread.restart, pointer, receiving ? 1n : 0n, ...lookupWords(failure)];
		this.#parts.core.words(thread)[PC] = thread.restart;
		this.#parts.threads.fault(thread, { kind: 'CapFault', words });
	}

	// Sending.

	/** @returns whether the thread goes on: it has neither blocked nor faulted, nor does it do the call again */
	#send(thread: Thread, register: number, how: Sending): boolean {
		const { space, ipc, core } = this.#parts;
		const found = this.#named(thread, register);
		if (typeof found !== 'number') {
			if (!how.blocking) return true;
			this.#capFault(thread, core.words(thread)[register]!, false, found);
			return false;
		}
		if (found === 0) return this.#answer(thread, how, NO_CAPABILITY);
		const rights = space.rights(found);
		const object = space.object(found);
		const word = space.word(found);
		const grant = (rights & Rights.Grant) !== 0;
		switch (space.kind(found)) {
			case ObjectKind.Endpoint: {
				if ((rights & Rights.Write) === 0) return this.#answer(thread, how, NO_CAPABILITY);
				if (how.call) {
					core.counters.ipc.calls++;
					ipc.call(thread.id, object, word, grant, grant || (rights & Rights.GrantReply) !== 0);
				} else if (how.blocking) {
					core.counters.ipc.sends++;
					ipc.send(thread.id, object, word, grant);
				} else {
					core.counters.ipc.sends++;
					ipc.nbSend(thread.id, object, word, grant, how.donate);
				}
				return thread.status === 'ready';
			}
			case ObjectKind.Notification:
				if ((rights & Rights.Write) === 0) return this.#answer(thread, how, NO_CAPABILITY);
				core.pay('notification');
				core.counters.ipc.signals++;
				ipc.signal(object, word);
				return this.#answer(thread, how, []);
			case ObjectKind.Reply: {
				const caller = ipc.callerOf(object);
				const timedOut = core.threads.get(caller)?.fault?.kind === 'Timeout';
				ipc.reply(thread.id, object, grant);
				if (!timedOut) this.#parts.threads.returned(caller);
				return this.#answer(thread, how, []);
			}
			default:
				return this.#invoke(thread, found, how);
		}
	}

	#invoke(thread: Thread, capability: CapabilityId, how: Sending): boolean {
		const { space, core, transfer } = this.#parts;
		const info = decodeMessageInfo(core.words(thread)[Register.a1]!);
		const extra: number[] = [];
		for (const pointer of transfer.pointers(thread, info.extraCaps)) {
			core.pay('capabilityLookup', 1);
			const found = this.#find(thread, pointer);
			if (typeof found === 'number') extra.push(found === 0 ? NO_SLOT : space.slotOf(found));
			else {
				if (how.blocking) this.#capFault(thread, pointer, false, found);
				return !how.blocking;
			}
		}
		const invocation: Invocation = {
			parts: this.#parts,
			thread,
			capability,
			slot: space.slotOf(capability),
			words: transfer.words(thread, transfer.available(thread, info.length)),
			extra,
			call: how.call,
		};
		core.counters.ipc.invocations++;
		return this.#answer(thread, how, invoke(invocation, info.label));
	}

	#answer(thread: Thread, how: Sending, outcome: Outcome): boolean {
		const { core, transfer } = this.#parts;
		if (outcome === 'again') {
			core.words(thread)[PC] = thread.restart;
			return false;
		}
		// It may have removed itself, or stopped itself.
		if (!core.threads.has(thread.id) || thread.status !== 'ready') return false;
		if (!how.call || outcome === 'silent') return true;
		if ('error' in outcome) transfer.give(thread, 0n, outcome.error, messageRegisters(outcome));
		else transfer.give(thread, 0n, 0, outcome);
		return true;
	}

	// Receiving.

	/** @param replyRegister - undefined: no reply object is offered */
	#receive(thread: Thread, register: number, replyRegister: number | undefined, blocking: boolean): void {
		const { space, ipc, core } = this.#parts;
		const found = this.#named(thread, register);
		if (typeof found !== 'number') {
			this.#receiveFault(thread, register, found);
			return;
		}
		if (found === 0 || (space.rights(found) & Rights.Read) === 0) {
			this.#receiveFault(thread, register, MISSING);
			return;
		}
		const object = space.object(found);
		switch (space.kind(found)) {
			case ObjectKind.Endpoint: {
				let reply = 0;
				if (replyRegister !== undefined) {
					const capability = this.#replyCapability(thread, replyRegister);
					if (capability === undefined) return;
					reply = space.object(capability);
				}
				const outcome = blocking ? ipc.recv(thread.id, object, reply) : ipc.nbRecv(thread.id, object, reply);
				if (outcome === 'empty') this.#nothing(thread);
				return;
			}
			case ObjectKind.Notification: {
				const bound = ipc.boundThread(object);
				if (bound !== 0 && bound !== thread.id) {
					this.#receiveFault(thread, register, MISSING);
					return;
				}
				core.pay('notification');
				const outcome = blocking ? ipc.wait(thread.id, object) : ipc.poll(thread.id, object);
				if (outcome === 'empty') this.#nothing(thread);
				return;
			}
			default:
				this.#receiveFault(thread, register, MISSING);
		}
	}

	#receiveFault(thread: Thread, register: number, failure: LookupFailure): void {
		this.#capFault(thread, this.#parts.core.words(thread)[register]!, true, failure);
	}

	#nothing(thread: Thread): void {
		const words = this.#parts.core.words(thread);
		words[Register.a0] = 0n;
		words[Register.a1] = 0n;
	}

	/** The reply object that a thread offers; undefined: there is none, and the thread has faulted. */
	#replyCapability(thread: Thread, register: number): CapabilityId | undefined {
		const { space } = this.#parts;
		const found = this.#named(thread, register);
		if (typeof found === 'number' && found !== 0 && space.kind(found) === ObjectKind.Reply) return found;
		this.#receiveFault(thread, register, typeof found === 'number' ? MISSING : found);
		return undefined;
	}
}
