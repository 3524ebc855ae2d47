/** Memory that VMs share: runs of the board's, of which each VM is shown what its description says. */
import type { SharedMemoryDescription } from '@partita/vmm';
import { HypervisorError, type ShareConfig } from './config.ts';
import type { PhysicalFrames } from './frames.ts';
import type { HypervisorBoard } from './ports.ts';

const PAGE = 4096;
/** Regions of this size or more are shown by pages of it, where guests have them so aligned. */
const LARGE_PAGE = 0x20_0000;

/** The regions of a system, which last as long as it does. */
export class SharedRegions {
	readonly #memory: HypervisorBoard['memory'];
	/** Physical address and bytes. */
	readonly #regions = new Map<string, { readonly physical: number; readonly size: number }>();

	/** @throws HypervisorError where there is not enough memory */
	constructor(
		regions: readonly { readonly name: string; readonly size: number }[],
		memory: HypervisorBoard['memory'],
		frames: PhysicalFrames,
	) {
		this.#memory = memory;
		for (const { name, size } of regions) {
			const physical = frames.allocate(size, size >= LARGE_PAGE ? LARGE_PAGE : PAGE);
			if (physical === undefined) throw new HypervisorError(`regions.${name}`, 'there is not enough memory for it');
			this.#regions.set(name, { physical, size });
		}
	}

	/** What a VM is shown. The regions exist. */
	shown(share: readonly ShareConfig[]): SharedMemoryDescription[] {
		return share.map(({ region, base, writable = true }) => {
			const { physical, size } = this.#regions.get(region)!;
			return { name: region, base, size, physical, writable };
		});
	}

	/** Copies from a region; false where part of the range is not in it. Throws `RangeError` where it does not exist. */
	read(region: string, offset: number, into: Uint8Array): boolean {
		const found = this.#regions.get(region);
		if (!found) throw new RangeError(`there is no region ${JSON.stringify(region)}`);
		if (offset < 0 || offset + into.length > found.size) return false;
		return this.#memory.read(found.physical + offset, into);
	}
}
