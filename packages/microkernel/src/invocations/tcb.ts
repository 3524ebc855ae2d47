/** Methods of TCBs. */
import { type CapabilityFailure, type CapabilityId, ObjectKind, Rights, type Slot } from '@partita/capability';
import {
	ALIGNMENT,
	DONE,
	extraCapability,
	has,
	ILLEGAL,
	type Invocation,
	invalidArgument,
	invalidCapability,
	num,
	type Outcome,
	rangeError,
	TRUNCATED,
} from '../invocation.ts';
import { IPC_BUFFER_BYTES } from '../message.ts';
import type { InvocationName } from '../profile.ts';
import { PC, Register, TcbSlot, type Thread } from '../thread.ts';
import { CONTEXT_REGISTERS, FRAME_REGISTERS } from '../threads.ts';

const HIGHEST_PRIORITY = 255;
/** seL4_TCBFlag_MASK: only seL4_TCBFlag_fpuDisabled. */
const FLAGS = 1n;

export function invokeTcb(invocation: Invocation, name: InvocationName): Outcome {
	const { parts, capability } = invocation;
	const target = parts.core.threads.get(parts.space.object(capability))!;
	switch (name) {
		case 'TCBReadRegisters':
			return readRegisters(invocation, target);
		case 'TCBWriteRegisters':
			return writeRegisters(invocation, target);
		case 'TCBCopyRegisters':
			return copyRegisters(invocation, target);
		case 'TCBConfigure':
			return configure(invocation, target);
		case 'TCBSetPriority':
		case 'TCBSetMCPriority':
			return setPriority(invocation, target, name === 'TCBSetPriority');
		case 'TCBSetSchedParams':
			return setSchedParams(invocation, target);
		case 'TCBSetTimeoutEndpoint':
			return setTimeoutEndpoint(invocation, target);
		case 'TCBSetIPCBuffer':
			return setBuffer(invocation, target);
		case 'TCBSetSpace':
			return setSpace(invocation, target);
		case 'TCBSuspend':
			parts.threads.suspend(target);
			return DONE;
		case 'TCBResume':
			parts.threads.resume(target);
			return DONE;
		case 'TCBBindNotification':
			return bindNotification(invocation, target);
		case 'TCBUnbindNotification':
			return parts.ipc.unbind(target.id) ? DONE : ILLEGAL;
		case 'TCBSetTLSBase':
			if (!has(invocation, 1)) return TRUNCATED;
			parts.core.words(target)[Register.tp] = invocation.words[0]!;
			return DONE;
		case 'TCBSetFlags':
			return setFlags(invocation, target);
		default:
			return ILLEGAL;
	}
}

// Registers.

function readRegisters(invocation: Invocation, target: Thread): Outcome {
	if (!has(invocation, 2)) return TRUNCATED;
	const { parts, words, thread } = invocation;
	const count = num(words[1]);
	if (!(count >= 1 && count <= CONTEXT_REGISTERS.length)) return rangeError(1, CONTEXT_REGISTERS.length);
	if (target === thread) return ILLEGAL;
	if ((words[0]! & 1n) !== 0n) parts.threads.suspend(target);
	return CONTEXT_REGISTERS.slice(0, count).map((register) => register_(parts.core.words(target), target, register));
}

/** A thread that waits shows the pc of its system call. */
function register_(words: BigUint64Array, target: Thread, register: number): bigint {
	return register === PC && target.status === 'blocked' ? target.restart : words[register]!;
}

function writeRegisters(invocation: Invocation, target: Thread): Outcome {
	if (!has(invocation, 2)) return TRUNCATED;
	const { parts, words, thread } = invocation;
	const count = num(words[1]);
	if (words.length - 2 < count) return TRUNCATED;
	if (target === thread) return ILLEGAL;
	const registers = parts.core.words(target);
	CONTEXT_REGISTERS.slice(0, count).forEach((register, index) => {
		const value = words[2 + index]!;
		if (register === PC) parts.core.setPc(target, value);
		else registers[register] = value;
	});
	if ((words[0]! & 1n) !== 0n) parts.threads.resume(target);
	return DONE;
}

function copyRegisters(invocation: Invocation, target: Thread): Outcome {
	if (!has(invocation, 1, 1)) return TRUNCATED;
	const { parts, words } = invocation;
	const { core, threads } = parts;
	const capability = extraCapability(invocation, 0);
	if (parts.space.kind(capability) !== ObjectKind.Tcb) return invalidCapability(1);
	const source = core.threads.get(parts.space.object(capability))!;
	const flag = (bit: bigint): boolean => (words[0]! & bit) !== 0n;
	if (flag(1n)) threads.suspend(source);
	if (flag(2n)) threads.resume(target);
	const from = core.words(source);
	const to = core.words(target);
	CONTEXT_REGISTERS.forEach((register, index) => {
		if (!flag(index < FRAME_REGISTERS ? 4n : 8n)) return;
		const value = register_(from, source, register);
		if (register === PC) core.setPc(target, value);
		else to[register] = value;
	});
	return DONE;
}

// Spaces.

/** A capability to be put into a slot of a TCB; `slot` undefined: the TCB's slot is emptied. */
interface Installation {
	readonly index: number;
	readonly slot: Slot | undefined;
	/** Guard of a CNode. */
	readonly word?: bigint;
}

function install({ parts }: Invocation, target: Thread, { index, slot, word = 0n }: Installation): void {
	const { space } = parts;
	const own = space.slot(target.id, index);
	space.delete(own);
	if (slot === undefined) return;
	if (word === 0n) space.copy(own, slot, Rights.All);
	else space.mint(own, slot, Rights.All, word);
	if (index === TcbSlot.vspace) parts.vspaceChanged(target);
}

/** CSpace and VSpace roots, from the capabilities at `first` and the word at `at`. */
function spaces(invocation: Invocation, first: number, at: number): readonly Installation[] | CapabilityFailure {
	const { parts, extra, words } = invocation;
	const { space, vspaces } = parts;
	const cspace = extraCapability(invocation, first);
	const vspace = extraCapability(invocation, first + 1);
	const word = words[at]!;
	if (!space.isCNode(cspace)) return ILLEGAL;
	if (word !== 0n && Number(word & 63n) + space.radix(space.object(cspace))! > 64) return ILLEGAL;
	if (space.kind(vspace) !== ObjectKind.PageTable) return ILLEGAL;
	if (!vspaces.root(space.object(vspace))) return ILLEGAL;
	return [
		{ index: TcbSlot.cspace, slot: extra[first], word },
		{ index: TcbSlot.vspace, slot: extra[first + 1] },
	];
}

/** An IPC buffer at an address, in the frame of the capability at an index. */
function bufferInstallation(invocation: Invocation, index: number, address: bigint): Installation | CapabilityFailure {
	const { parts, extra } = invocation;
	const { space } = parts;
	if (address === 0n) return { index: TcbSlot.buffer, slot: undefined };
	const frame = extraCapability(invocation, index);
	const kind = space.kind(frame);
	if (kind !== ObjectKind.Page && kind !== ObjectKind.MegaPage && kind !== ObjectKind.GigaPage) return ILLEGAL;
	if (space.isDevice(space.object(frame))) return ILLEGAL;
	if (address % BigInt(IPC_BUFFER_BYTES) !== 0n) return ALIGNMENT;
	return { index: TcbSlot.buffer, slot: extra[index] };
}

function putBuffer(invocation: Invocation, target: Thread, installation: Installation, address: bigint): void {
	install(invocation, target, installation);
	target.bufferAddress = Number(BigInt.asUintN(40, address));
}

function configure(invocation: Invocation, target: Thread): Outcome {
	if (!has(invocation, 3, 3)) return TRUNCATED;
	const address = invocation.words[2]!;
	const roots = spaces(invocation, 0, 0);
	if (!Array.isArray(roots)) return roots as CapabilityFailure;
	const buffer = bufferInstallation(invocation, 2, address);
	if ('error' in buffer) return buffer;
	for (const installation of roots) install(invocation, target, installation);
	putBuffer(invocation, target, buffer, address);
	return DONE;
}

function setSpace(invocation: Invocation, target: Thread): Outcome {
	if (!has(invocation, 2, 3)) return TRUNCATED;
	const handler = handlerInstallation(invocation, 0, TcbSlot.faultHandler, 1);
	if ('error' in handler) return handler;
	const roots = spaces(invocation, 1, 0);
	if (!Array.isArray(roots)) return roots as CapabilityFailure;
	install(invocation, target, handler);
	for (const installation of roots) install(invocation, target, installation);
	return DONE;
}

function setBuffer(invocation: Invocation, target: Thread): Outcome {
	if (!has(invocation, 1, 1)) return TRUNCATED;
	const address = invocation.words[0]!;
	const buffer = bufferInstallation(invocation, 0, address);
	if ('error' in buffer) return buffer;
	putBuffer(invocation, target, buffer, address);
	return DONE;
}

/** A fault handler: none, or an endpoint that faults can be sent to. */
function handlerInstallation(
	invocation: Invocation,
	index: number,
	slot: number,
	argument: number,
): Installation | CapabilityFailure {
	const capability = extraCapability(invocation, index);
	if (capability === 0) return { index: slot, slot: undefined };
	if (!invocation.parts.threads.isHandler(capability)) return invalidCapability(argument);
	return { index: slot, slot: invocation.extra[index] };
}

function setTimeoutEndpoint(invocation: Invocation, target: Thread): Outcome {
	if (!has(invocation, 0, 1)) return TRUNCATED;
	const handler = handlerInstallation(invocation, 0, TcbSlot.timeoutHandler, 1);
	if ('error' in handler) return handler;
	install(invocation, target, handler);
	return DONE;
}

// Scheduling.

/** Whether the authority that goes along may give a priority. */
function checkPriority(
	invocation: Invocation,
	authority: CapabilityId,
	priority: bigint,
): CapabilityFailure | undefined {
	const { space, core } = invocation.parts;
	if (space.kind(authority) !== ObjectKind.Tcb) return invalidCapability(1);
	const { mcp } = core.threads.get(space.object(authority))!;
	return priority > BigInt(mcp) ? rangeError(0, mcp) : undefined;
}

function givePriority({ parts }: Invocation, target: Thread, priority: number): void {
	parts.core.setPriority(target, priority);
	parts.ipc.reprioritise(target.id);
}

function setPriority(invocation: Invocation, target: Thread, own: boolean): Outcome {
	if (!has(invocation, 1, 1)) return TRUNCATED;
	const word = invocation.words[0]!;
	const failure = checkPriority(invocation, extraCapability(invocation, 0), word);
	if (failure) return failure;
	if (own) givePriority(invocation, target, Math.min(Number(word), HIGHEST_PRIORITY));
	else target.mcp = Number(word);
	return DONE;
}

function setSchedParams(invocation: Invocation, target: Thread): Outcome {
	if (!has(invocation, 2, 3)) return TRUNCATED;
	const { parts, words } = invocation;
	const { space, core } = parts;
	const authority = extraCapability(invocation, 0);
	const failure = checkPriority(invocation, authority, words[0]!) ?? checkPriority(invocation, authority, words[1]!);
	if (failure) return failure;
	const schedContext = extraCapability(invocation, 1);
	const context = schedContext === 0 ? 0 : space.object(schedContext);
	if (schedContext !== 0) {
		if (space.kind(schedContext) !== ObjectKind.SchedContext) return invalidCapability(2);
		if (target.context !== context) {
			if (target.context !== 0) return ILLEGAL;
			if (core.contexts.get(context)!.thread !== 0) return ILLEGAL;
		}
	} else if (target === invocation.thread) return ILLEGAL;
	const handler = handlerInstallation(invocation, 2, TcbSlot.faultHandler, 3);
	if ('error' in handler) return handler;
	install(invocation, target, handler);
	target.mcp = Number(words[0]);
	givePriority(invocation, target, Number(words[1]));
	if (target.context !== context) {
		if (context === 0) core.bind(0, target.context);
		else core.bind(target.id, context);
	}
	return DONE;
}

function bindNotification(invocation: Invocation, target: Thread): Outcome {
	if (!has(invocation, 0, 1)) return TRUNCATED;
	const { space, ipc } = invocation.parts;
	const capability = extraCapability(invocation, 0);
	if (ipc.boundNotification(target.id) !== 0) return ILLEGAL;
	if (space.kind(capability) !== ObjectKind.Notification) return ILLEGAL;
	if ((space.rights(capability) & Rights.Read) === 0) return invalidCapability(1);
	return ipc.bind(space.object(capability), target.id) ? DONE : ILLEGAL;
}

function setFlags(invocation: Invocation, target: Thread): Outcome {
	if (!has(invocation, 2)) return TRUNCATED;
	const { parts, words } = invocation;
	if (((words[0]! | words[1]!) & ~FLAGS) !== 0n) return invalidArgument(0);
	const flags = Number((BigInt(target.flags) & ~words[0]!) | words[1]!);
	parts.flagsChanged(target, flags);
	return [BigInt(flags)];
}
