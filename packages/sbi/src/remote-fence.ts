/**
 * Remote fences. RISC-V SBI 2.0, "RFENCE Extension (EID #0x52464E43 "RFNC")".
 *
 * They are complete when the call returns: no hart but the caller's runs meanwhile. Instruction fetches see stores at
 * once on the machine that this is for, so that a remote FENCE.I has nothing left to do.
 */
import { ALL_ONES, type Extension, failure, hartList, success } from './call.ts';

/** Ranges of more pages than this are fenced as the whole address space. */
export const RANGE_PAGES = 16;

const PAGE = 4096n;

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

/** From this FID on, fences are those of a hypervisor for its guests. */
const GUEST_FENCES = 3;

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
	if (call.function >= (ports.hypervisor ? fences.length : GUEST_FENCES)) return failure('NOT_SUPPORTED');
	const targets = hartList(harts.length, args[0], args[1]);
	if (targets === undefined) return failure('INVALID_PARAM');
	const fence = fences[call.function];
	if (fence === undefined) return success();
	const pages = fencedPages(args[2], args[3]);
	if (pages === undefined) return failure('INVALID_ADDRESS');
	const id = fence.idMask === undefined ? undefined : args[4] & fence.idMask;
	for (const target of targets) {
		for (const address of pages) ports.harts[target].fence({ kind: fence.kind, address, id, caller: call.hart });
	}
	return success();
};
