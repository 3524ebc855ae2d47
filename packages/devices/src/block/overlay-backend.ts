// A copy-on-write layer: reads come from a base disk, writes stay in the layer, in clusters that exist once written to.
// A cluster knows sector by sector what it holds, so a write never waits for the base.
import { StateCheck } from '../state-error.ts';
import { type BlockBackend, type BlockCompletion, type BlockRequest, refusal, SECTOR_SIZE } from './backend.ts';

/** Bytes in a cluster. */
export const OVERLAY_CLUSTER_SIZE = 65_536;
const CLUSTER_SECTORS = OVERLAY_CLUSTER_SIZE / SECTOR_SIZE;

/** A piece of the layer. */
export interface OverlayCluster {
	/** Which cluster of the disk: its first byte is at `index` × {@link OVERLAY_CLUSTER_SIZE}. */
	index: number;
	/** Bit n mod 32 of word n / 32: sector n of the cluster is here, not in the base. */
	present: Uint32Array;
	/** The content, where present. */
	bytes: Uint8Array;
}

/** The layer's whole content. */
export interface OverlayState {
	/** The clusters that were written to, in the order of their first writes. */
	clusters: OverlayCluster[];
}

/** A writable layer over a disk that is never written. */
export class OverlayBlockBackend implements BlockBackend {
	readonly sectors: number;
	readonly readOnly = false;
	/** The whole state; plain data, owned by this layer. */
	readonly state: OverlayState = { clusters: [] };
	readonly #base: BlockBackend;
	readonly #limit: number;
	readonly #clusters = new Map<number, OverlayCluster>();

	/**
	 * @param base - the disk below.
	 * @param limitBytes - the most that the layer may hold; further clusters fail with an I/O error. No limit when left out.
	 */
	constructor(base: BlockBackend, limitBytes: number = Number.POSITIVE_INFINITY) {
		this.#base = base;
		this.sectors = base.sectors;
		this.#limit = Math.floor(limitBytes / OVERLAY_CLUSTER_SIZE);
	}

	submit(request: BlockRequest, complete: BlockCompletion): void {
		const reason = refusal(request, this.sectors, false);
		if (reason !== undefined) complete(request, 'io-error', reason);
		else if (request.kind === 'read') this.#read(request, complete);
		else if (request.kind === 'flush' || this.#write(request)) complete(request, 'ok');
		else complete(request, 'io-error', `the overlay is full (${this.#limit * OVERLAY_CLUSTER_SIZE} bytes)`);
	}

	/**
	 * Takes over a copy of a saved layer.
	 * @throws StateError where it does not fit the base disk.
	 */
	restore(state: OverlayState): void {
		const check = new StateCheck('overlay', state);
		const count = Math.ceil(this.sectors / CLUSTER_SECTORS);
		check.list('clusters', state.clusters, count);
		const seen = new Set<number>();
		for (const cluster of state.clusters) {
			check.that(typeof cluster === 'object' && cluster !== null, 'a cluster must be an object');
			check.integer('index', cluster.index, count - 1);
			check.that(!seen.has(cluster.index), `cluster ${cluster.index} is there twice`);
			seen.add(cluster.index);
			check.that(
				cluster.present instanceof Uint32Array && cluster.present.length === CLUSTER_SECTORS / 32,
				`present must be a Uint32Array of ${CLUSTER_SECTORS / 32}`,
			);
			check.that(
				cluster.bytes instanceof Uint8Array && cluster.bytes.length === OVERLAY_CLUSTER_SIZE,
				`bytes must hold ${OVERLAY_CLUSTER_SIZE} bytes`,
			);
		}
		this.state.clusters = structuredClone(state.clusters);
		this.#clusters.clear();
		for (const cluster of this.state.clusters) this.#clusters.set(cluster.index, cluster);
	}

	#read(request: BlockRequest, complete: BlockCompletion): void {
		if (this.#patch(request)) {
			complete(request, 'ok');
			return;
		}
		this.#base.submit({ ...request }, (_, status, reason) => {
			if (status === 'ok') this.#patch(request);
			complete(request, status, reason);
		});
	}

	/** Puts what the layer holds of a read's range into its data; true where that is all of it. */
	#patch(request: BlockRequest): boolean {
		let whole = true;
		forSectors(request, (index, within, offset) => {
			const cluster = this.#clusters.get(index);
			if (cluster !== undefined && (cluster.present[within >>> 5] >>> (within & 31)) & 1) {
				const start = within * SECTOR_SIZE;
				request.data.set(cluster.bytes.subarray(start, start + SECTOR_SIZE), offset);
			} else whole = false;
		});
		return whole;
	}

	#write(request: BlockRequest): boolean {
		const first = Math.floor(request.sector / CLUSTER_SECTORS);
		const last = Math.floor((request.sector + request.data.length / SECTOR_SIZE - 1) / CLUSTER_SECTORS);
		let missing = 0;
		for (let index = first; index <= last; index++) if (!this.#clusters.has(index)) missing++;
		if (this.state.clusters.length + missing > this.#limit) return false;
		forSectors(request, (index, within, offset) => {
			const cluster = this.#clusters.get(index) ?? this.#add(index);
			cluster.bytes.set(request.data.subarray(offset, offset + SECTOR_SIZE), within * SECTOR_SIZE);
			cluster.present[within >>> 5] |= 1 << (within & 31);
		});
		return true;
	}

	#add(index: number): OverlayCluster {
		const cluster = {
			index,
			present: new Uint32Array(CLUSTER_SECTORS / 32),
			bytes: new Uint8Array(OVERLAY_CLUSTER_SIZE),
		};
		this.#clusters.set(index, cluster);
		this.state.clusters.push(cluster);
		return cluster;
	}
}

/** Calls back for each sector of a request: its cluster, its number there, and its offset in the data. */
function forSectors(request: BlockRequest, each: (index: number, within: number, offset: number) => void): void {
	for (let offset = 0; offset < request.data.length; offset += SECTOR_SIZE) {
		const sector = request.sector + offset / SECTOR_SIZE;
		each(Math.floor(sector / CLUSTER_SECTORS), sector % CLUSTER_SECTORS, offset);
	}
}
