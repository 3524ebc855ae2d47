/**
 * Remote fences. RISC-V SBI 2.0, "RFENCE Extension (EID #0x52464E43 "RFNC")".
 *
 * They are complete when the call returns: no hart but the caller's runs meanwhile. Instruction fetches see stores at
 * once on this machine, so that a remote FENCE.I has nothing left to do.
 */
import { Slot } from '@partita/cpu';
import { csrFields } from '@partita/riscv';
import { ALL_ONES, type Extension, failure, hartList, success } from './call.ts';

/** Ranges of more pages than this are fenced as the whole address space. */
export const RANGE_PAGES = 16;

const PAGE = 4096n;
const { VMID } = csrFields.hgatp;

interface RemoteFence {
	readonly kind: 'vma' | 'vvma' | 'gvma';
	/** Bits of the ASID or VMID in a4; undefined: there is none, all are meant. */
	readonly idMask: bigint | undefined;
}

/** By FID; 0 is FENCE.I. */
const fences: readonly (RemoteFence | undefined)[] = [
	undefined,
	{ kind: 'vma', idMask: undefined },
	{ kind: 'vma', idMask: 0xffffn },
	{ kind: 'gvma', idMask: 0x3fffn },
	{ kind: 'gvma', idMask: undefined },
	{ kind: 'vvma', idMask: 0xffffn },
	{ kind: 'vvma', idMask: undefined },
];

/** Addresses to fence one by one; [undefined] for the whole address space; undefined where the range is not valid. */
function fencedPages(start: bigint, size: bigint): (bigint | undefined)[] | undefined {
	if ((start === 0n && size === 0n) || size === ALL_ONES) return [undefined];
	const end = start + size;
	if (end > ALL_ONES + 1n) return undefined;
	const first = start & ~(PAGE - 1n);
	if (size === 0n) return [];
	if (end - first > BigInt(RANGE_PAGES) * PAGE) return [undefined];
	const pages: bigint[] = [];
	for (let page = first; page < end; page += PAGE) pages.push(page);
	return pages;
}

/** RFNC. */
export const remoteFenceExtension: Extension = ({ ports, harts }, call) => {
	const { args } = call;
	if (call.function >= fences.length) return failure('NOT_SUPPORTED');
	const targets = hartList(harts.length, args[0], args[1]);
	if (targets === undefined) return failure('INVALID_PARAM');
	const fence = fences[call.function];
	if (fence === undefined) return success();
	const pages = fencedPages(args[2], args[3]);
	if (pages === undefined) return failure('INVALID_ADDRESS');
	const id = fence.idMask === undefined ? undefined : args[4] & fence.idMask;
	const vmid = ports.harts[call.hart].state[Slot.hgatp] & VMID;
	for (const target of targets) {
		const hart = ports.harts[target];
		const { state } = hart;
		// HFENCE.VVMA is for the VMID of the hart that executes it; it is the caller's that is meant.
		const hgatp = state[Slot.hgatp];
		if (fence.kind === 'vvma') state[Slot.hgatp] = (hgatp & ~VMID) | vmid;
		for (const page of pages) hart.ports.flush(fence.kind, page, id);
		state[Slot.hgatp] = hgatp;
	}
	return success();
};
