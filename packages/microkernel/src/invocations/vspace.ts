/** Methods of frames, page tables, ASIDControl and ASID pools. */
import { CapabilityError, type CapabilityId, ObjectKind, Rights } from '@partita/capability';
import {
	ALIGNMENT,
	DELETE_FIRST,
	DONE,
	emptySlot,
	extraCapability,
	has,
	ILLEGAL,
	type Invocation,
	invalidArgument,
	invalidCapability,
	num,
	type Outcome,
	REVOKE_FIRST,
	TRUNCATED,
} from '../invocation.ts';
import type { InvocationName } from '../profile.ts';
import { mappingOf, mappingWord, type TableEntry, type TableRecord, USER_TOP } from '../vspace.ts';

const VALID = 1n;
const POOL_BITS = 12;
/** seL4_RISCV_ExecuteNever. */
const EXECUTE_NEVER = 1n;

/** A walk that ended too early: the user's libraries map a table for so many bits. */
function missingTable(bits: number): Outcome {
	return {
		error: CapabilityError.FailedLookup,
		source: false,
		lookup: { kind: 2, bitsLeft: bits },
	};
}

function rootOf({ parts }: Invocation, capability: CapabilityId): TableRecord | undefined {
	if (parts.space.kind(capability) !== ObjectKind.PageTable) return undefined;
	return parts.vspaces.root(parts.space.object(capability));
}

export function invokePage(invocation: Invocation, name: InvocationName): Outcome {
	const { parts, capability } = invocation;
	const { space, vspaces, core } = parts;
	const frame = space.object(capability);
	switch (name) {
		case 'RISCVPageMap':
			return mapPage(invocation);
		case 'RISCVPageUnmap': {
			const word = space.word(capability);
			if (word === 0n) return DONE;
			core.pay('pageTableUpdate');
			vspaces.unmapFrame(space.address(frame), space.sizeBits(frame), word);
			space.setWord(capability, 0n);
			return DONE;
		}
		case 'RISCVPageGetAddress':
			return [BigInt(space.address(frame))];
		default:
			return ILLEGAL;
	}
}

function mapPage(invocation: Invocation): Outcome {
	if (!has(invocation, 3, 1)) return TRUNCATED;
	const { parts, words, capability } = invocation;
	const { space, vspaces, core } = parts;
	const [vaddr, rights = 0n, attributes = 0n] = words;
	const frame = space.object(capability);
	const bits = space.sizeBits(frame);
	const size = 2 ** bits;
	const address = num(vaddr);
	const root = rootOf(invocation, extraCapability(invocation, 0));
	if (!root) return invalidCapability(1);
	if (address + size > USER_TOP) return invalidArgument(0);
	if (address % size !== 0) return ALIGNMENT;
	const entry = vspaces.walk(root, address);
	if (entry.bits !== bits) return (entry.pte & VALID) === 0n ? missingTable(entry.bits) : tooEarly(entry, bits);
	const old = space.word(capability);
	if (old !== 0n) {
		const mapping = mappingOf(old);
		if (mapping.asid !== root.asid) return invalidCapability(1);
		if (mapping.address !== address) return invalidArgument(0);
	} else if ((entry.pte & VALID) !== 0n) return DELETE_FIRST;
	core.pay('pageTableUpdate');
	const allowed = Number(rights) & space.rights(capability);
	vspaces.mapFrame(space.address(frame), root, address, entry, {
		read: (allowed & Rights.Read) !== 0,
		write: (allowed & Rights.Read) !== 0 && (allowed & Rights.Write) !== 0,
		execute: (attributes & EXECUTE_NEVER) === 0n,
	});
	space.setWord(capability, mappingWord(root.asid, address));
	return DONE;
}

/** A larger page is where a table would have to be, or a table where a larger page would. */
function tooEarly(entry: TableEntry, bits: number): Outcome {
	return entry.bits > bits ? missingTable(entry.bits) : DELETE_FIRST;
}

export function invokePageTable(invocation: Invocation, name: InvocationName): Outcome {
	const { parts, capability } = invocation;
	const { space, vspaces, core } = parts;
	const table = vspaces.tables.get(space.object(capability))!;
	switch (name) {
		case 'RISCVPageTableMap': {
			if (!has(invocation, 2, 1)) return TRUNCATED;
			if (table.asid !== 0 || table.mapping !== 0n) return invalidCapability(0);
			const root = rootOf(invocation, extraCapability(invocation, 0));
			if (!root) return invalidCapability(1);
			const address = num(invocation.words[0]);
			if (address >= USER_TOP) return invalidArgument(0);
			const entry = vspaces.walk(root, address);
			if (entry.bits === 12 || (entry.pte & VALID) !== 0n) return DELETE_FIRST;
			core.pay('pageTableUpdate');
			vspaces.mapTable(table, root, address, entry);
			return DONE;
		}
		case 'RISCVPageTableUnmap': {
			// A root is no table of another, and the capability must be the only one.
			if (space.references(table.id) !== 1) return REVOKE_FIRST;
			if (table.asid !== 0) return REVOKE_FIRST;
			if (table.mapping !== 0n) {
				core.pay('pageTableUpdate');
				vspaces.unmapTable(table);
				vspaces.clearTable(table);
			}
			return DONE;
		}
		default:
			return ILLEGAL;
	}
}

export function invokeAsidControl(invocation: Invocation, name: InvocationName): Outcome {
	if (name !== 'RISCVASIDControlMakePool') return ILLEGAL;
	if (!has(invocation, 2, 2)) return TRUNCATED;
	const { parts, words } = invocation;
	const { space, vspaces } = parts;
	if (!vspaces.hasRoom) return DELETE_FIRST;
	const untyped = extraCapability(invocation, 0);
	if (untyped === 0 || space.kind(untyped) !== ObjectKind.Untyped) return invalidCapability(1);
	const memory = space.object(untyped);
	if (space.sizeBits(memory) !== POOL_BITS || space.isDevice(memory)) return invalidCapability(1);
	if (space.hasChildren(untyped)) return REVOKE_FIRST;
	const slot = emptySlot(invocation, {
		root: extraCapability(invocation, 1),
		pointer: words[0]!,
		depth: num(words[1]),
	});
	if (typeof slot !== 'number') return slot;
	const pool = space.createObject(ObjectKind.AsidPool, { address: space.address(memory), sizeBits: POOL_BITS });
	const failure = space.place(slot, pool, 0n, untyped);
	if (failure) return failure;
	vspaces.addPool(pool);
	return DONE;
}

export function invokeAsidPool(invocation: Invocation, name: InvocationName): Outcome {
	if (name !== 'RISCVASIDPoolAssign') return ILLEGAL;
	if (!has(invocation, 0, 1)) return TRUNCATED;
	const { parts, capability } = invocation;
	const { space, vspaces } = parts;
	const target = extraCapability(invocation, 0);
	if (space.kind(target) !== ObjectKind.PageTable) return invalidCapability(1);
	const table = vspaces.tables.get(space.object(target))!;
	if (table.asid !== 0 || table.mapping !== 0n) return invalidCapability(1);
	return vspaces.assign(table, space.object(capability)) ? DONE : DELETE_FIRST;
}
