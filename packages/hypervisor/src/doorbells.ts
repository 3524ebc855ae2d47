/** Who rings whom: doorbells of VMs, and the edges between them that the description allows. */
import { doorbell, type VirtualDeviceDescription } from '@partita/vmm';
import type { DoorbellEnd, VmConfig } from './config.ts';
import type { Guest } from './guest.ts';

/** The doorbell's name among a VM's devices. */
const NAME = 'doorbell';

/** The doorbells of a system. */
export class Doorbells {
	/** By `vm bit` of who rings. */
	readonly #edges: ReadonlyMap<string, DoorbellEnd>;
	readonly #guests: ReadonlyMap<string, Guest>;
	readonly #pay: (operation: 'notification') => void;

	constructor(
		edges: readonly { readonly from: DoorbellEnd; readonly to: DoorbellEnd }[],
		guests: ReadonlyMap<string, Guest>,
		pay: (operation: 'notification') => void,
	) {
		this.#edges = new Map(edges.map(({ from, to }) => [`${from.bit} ${from.vm}`, to]));
		this.#guests = guests;
		this.#pay = pay;
	}

	/** The doorbell of a VM as its devices, where it has one. */
	devices({ name, doorbell: own }: Pick<VmConfig<unknown>, 'name' | 'doorbell'>): readonly VirtualDeviceDescription[] {
		if (!own) return [];
		const ring = (bit: number): void => this.#ring(name, bit);
		return typeof own === 'function' ? own(ring) : [doorbell({ name: NAME, ...own, ring })];
	}

	#ring(name: string, bit: number): void {
		const guest = this.#guests.get(name)!;
		const to = this.#edges.get(`${bit} ${name}`);
		const peer = to && this.#guests.get(to.vm)?.machine;
		if (!peer || peer.ending || peer.clearing) {
			guest.signalsDenied++;
			return;
		}
		guest.signals++;
		this.#pay('notification');
		peer.ring(to.bit);
	}
}
