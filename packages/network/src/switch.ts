/**
 * A virtual Ethernet switch: it learns where addresses are, and passes frames on at once, from the port that they come in by to
 * the ports that they are for. Each port has its own firewall, addresses and rate limit. IEEE 802.1D, "Principles of Bridge
 * Operation"; no spanning tree, since there are no loops.
 *
 * Not here: queues (a receiver's are its device's; what it refuses is lost, as on a wire), and what hosts it: it is told the
 * time, and says what it has worked.
 */
import { addressAt, FRAME_HEADER, formatAddress, isGroup, MOST_FRAME, readFields } from './frame.ts';
import { compileRules, type Firewall, type FirewallRule } from './rules.ts';
import { type RateLimit, TokenBucket, type TokenBucketState } from './token-bucket.ts';

/** A port, as the description names it. */
export interface SwitchPortDescription {
	/** Unique. */
	readonly name: string;
	/** For frames that come in by the port: the first rule that matches decides. */
	readonly from?: readonly FirewallRule[];
	/** For frames that go out by the port. */
	readonly to?: readonly FirewallRule[];
	/** For frames that no rule matches, in both directions; default `allow`. */
	readonly otherwise?: 'allow' | 'deny';
	/** Addresses that frames which come in may have as their source, as `52:54:00:12:34:56`; default: any. */
	readonly addresses?: readonly string[];
	/** For frames that come in; those beyond it are lost. */
	readonly limit?: RateLimit;
}

/** What a switch is made of. */
export interface SwitchDescription {
	readonly name: string;
	readonly ports: readonly SwitchPortDescription[];
	/** Nanoseconds after which an address is forgotten that has not been seen; default 300 s. */
	readonly ageing?: number;
	/** Sees every frame at every port, once for each: `in` before anything is decided, `out` where it was taken. */
	readonly onFrame?: (port: string, direction: 'in' | 'out', frame: Uint8Array, time: number) => void;
}

/** Why a frame was lost. */
export type DropReason = 'malformed' | 'spoofed' | 'limited' | 'denied' | 'refused';

/** What a port has done. Plain data. */
export interface SwitchPortCounters {
	/** Frames and bytes that came in. */
	framesIn: number;
	bytesIn: number;
	/** Frames and bytes that went out. */
	framesOut: number;
	bytesOut: number;
	/** Frames that were lost at this port: `denied` by either firewall, `refused` by who is behind it. */
	readonly lost: Record<DropReason, number>;
}

/** Plain state of a {@link VirtualSwitch}. */
export interface SwitchState {
	/** Where addresses are: number of the port, and when it was seen last. */
	readonly addresses: readonly (readonly [address: number, port: number, seen: number])[];
	readonly ports: readonly {
		readonly counters: SwitchPortCounters;
		readonly bucket: TokenBucketState | undefined;
	}[];
}

/** Who hosts a switch. */
export interface SwitchEnvironment {
	/** Virtual nanoseconds. */
	now(): number;
	/** It has computed, and copied. */
	work(nanos: number): void;
}

/** A port for a network device: its back end, and how frames come to it. Fits virtio-net of `@partita/virtual-board`. */
export interface SwitchPort {
	readonly backend: {
		/** Takes a frame. */
		send(frame: Uint8Array): void;
	};
	/** Who takes frames: false where it has no room. */
	readonly connect: (receive: (frame: Uint8Array) => boolean) => void;
}

/** Estimates of the switch's own computing, in nanoseconds: a frame looked at; a rule; eight bytes copied, in and out. */
const FRAME_NANOS = 200;
const RULES_NANOS = 100;
const WORD_NANOS = 6;
const DEFAULT_AGEING = 300_000_000_000;
/** Addresses that are remembered; beyond that, the one that was seen longest ago is forgotten. */
const MOST_ADDRESSES = 1024;

interface Port {
	readonly name: string;
	readonly from: Firewall;
	readonly to: Firewall;
	readonly addresses: ReadonlySet<number> | undefined;
	readonly bucket: TokenBucket | undefined;
	receive: ((frame: Uint8Array) => boolean) | undefined;
	counters: SwitchPortCounters;
}

const newCounters = (): SwitchPortCounters => ({
	framesIn: 0,
	bytesIn: 0,
	framesOut: 0,
	bytesOut: 0,
	lost: { malformed: 0, spoofed: 0, limited: 0, denied: 0, refused: 0 },
});

/** The switch. Until it is linked, time stands still and work is free. */
export class VirtualSwitch {
	readonly name: string;
	readonly #ports: readonly Port[];
	readonly #ageing: number;
	readonly #onFrame: SwitchDescription['onFrame'];
	/** In the order in which they were seen. */
	readonly #addresses = new Map<number, { readonly port: number; readonly seen: number }>();
	#environment: SwitchEnvironment = { now: () => 0, work: () => {} };

	/** @throws RangeError for a description that cannot be, with the place */
	constructor(description: SwitchDescription) {
		const { name, ports, ageing = DEFAULT_AGEING, onFrame } = description;
		this.name = name;
		this.#ageing = ageing;
		this.#onFrame = onFrame;
		if (!Number.isSafeInteger(ageing) || ageing < 1) throw new RangeError(`switch ${name}: ageing: ${ageing} ns`);
		this.#ports = ports.map((port, index) => {
			const place = `switch ${name}: ports[${index}]`;
			if (port.name === '' || ports.findIndex((other) => other.name === port.name) < index)
				throw new RangeError(`${place}.name: ${JSON.stringify(port.name)} is empty, or taken`);
			const otherwise = port.otherwise ?? 'allow';
			return {
				name: port.name,
				from: compileRules(`${place}.from`, port.from ?? [], otherwise),
				to: compileRules(`${place}.to`, port.to ?? [], otherwise),
				addresses: port.addresses && new Set(port.addresses.map((each) => parseAddress(`${place}.addresses`, each))),
				bucket: port.limit && new TokenBucket(`${place}.limit`, port.limit),
				receive: undefined,
				counters: newCounters(),
			};
		});
	}

	/** Gives it its host. */
	link(environment: SwitchEnvironment): void {
		this.#environment = environment;
	}

	/** A port, for a device. Throws `RangeError` where there is none of this name. */
	port(name: string): SwitchPort {
		const index = this.#ports.findIndex((port) => port.name === name);
		const port = this.#ports[index];
		if (!port) throw new RangeError(`switch ${this.name} has no port ${JSON.stringify(name)}`);
		return {
			backend: { send: (frame) => this.#send(index, frame) },
			connect: (receive) => {
				port.receive = receive;
			},
		};
	}

	/** What a port has done: a copy. Throws `RangeError` where there is none of this name. */
	statistics(name: string): SwitchPortCounters {
		const port = this.#ports.find((each) => each.name === name);
		if (!port) throw new RangeError(`switch ${this.name} has no port ${JSON.stringify(name)}`);
		return structuredClone(port.counters);
	}

	/** A copy. */
	get state(): SwitchState {
		return {
			addresses: Array.from(this.#addresses, ([address, { port, seen }]) => [address, port, seen] as const),
			ports: this.#ports.map(({ counters, bucket }) => ({
				counters: structuredClone(counters),
				bucket: bucket?.state,
			})),
		};
	}

	/** Takes a saved state. Throws `RangeError` where it is another switch's. */
	restore(state: SwitchState): void {
		if (
			state.ports.length !== this.#ports.length ||
			state.addresses.some(([, port]) => this.#ports[port] === undefined)
		)
			throw new RangeError(`switch ${this.name}: the state is another's`);
		this.#ports.forEach((port, index) => {
			const { counters, bucket } = state.ports[index]!;
			if ((bucket === undefined) !== (port.bucket === undefined))
				throw new RangeError(`switch ${this.name}: the state is another's`);
			if (bucket) port.bucket?.restore(bucket);
			port.counters = structuredClone(counters);
		});
		this.#addresses.clear();
		for (const [address, port, seen] of state.addresses) this.#addresses.set(address, { port, seen });
	}

	/** A frame comes in. */
	#send(index: number, frame: Uint8Array): void {
		const port = this.#ports[index]!;
		const now = this.#environment.now();
		const { counters } = port;
		counters.framesIn++;
		counters.bytesIn += frame.length;
		this.#onFrame?.(port.name, 'in', frame, now);
		this.#environment.work(FRAME_NANOS + Math.ceil(frame.length / 8) * WORD_NANOS);
		if (frame.length < FRAME_HEADER || frame.length > MOST_FRAME) {
			counters.lost.malformed++;
			return;
		}
		const source = addressAt(frame, 6);
		if (isGroup(source) || (port.addresses && !port.addresses.has(source))) {
			counters.lost.spoofed++;
			return;
		}
		if (port.bucket && !port.bucket.take(frame.length, now)) {
			counters.lost.limited++;
			return;
		}
		this.#environment.work(RULES_NANOS);
		const fields = readFields(frame);
		if (!port.from(fields)) {
			counters.lost.denied++;
			return;
		}
		this.#learn(source, index, now);
		const destination = addressAt(frame, 0);
		const known = isGroup(destination) ? undefined : this.#find(destination, now);
		for (const [number, other] of this.#ports.entries()) {
			if (number === index || (known !== undefined && number !== known)) continue;
			this.#environment.work(RULES_NANOS);
			if (other.to(fields)) this.#deliver(other, frame, now);
			else other.counters.lost.denied++;
		}
	}

	#deliver(port: Port, frame: Uint8Array, now: number): void {
		if (!port.receive?.(frame)) {
			port.counters.lost.refused++;
			return;
		}
		this.#environment.work(Math.ceil(frame.length / 8) * WORD_NANOS);
		port.counters.framesOut++;
		port.counters.bytesOut += frame.length;
		this.#onFrame?.(port.name, 'out', frame, now);
	}

	#learn(address: number, port: number, now: number): void {
		this.#addresses.delete(address);
		this.#addresses.set(address, { port, seen: now });
		if (this.#addresses.size <= MOST_ADDRESSES) return;
		const [oldest] = this.#addresses.keys();
		this.#addresses.delete(oldest!);
	}

	/** Number of the port that an address is at; undefined: it is not known. */
	#find(address: number, now: number): number | undefined {
		const found = this.#addresses.get(address);
		if (!found) return undefined;
		if (now - found.seen < this.#ageing) return found.port;
		this.#addresses.delete(address);
		return undefined;
	}
}

/** An address of text. */
export function parseAddress(place: string, text: string): number {
	if (!/^[0-9a-f]{2}(:[0-9a-f]{2}){5}$/i.test(text))
		throw new RangeError(`${place}: ${JSON.stringify(text)} is no address, as 52:54:00:12:34:56`);
	const address = Number.parseInt(text.replaceAll(':', ''), 16);
	if (isGroup(address)) throw new RangeError(`${place}: ${formatAddress(address)} is a group's`);
	return address;
}
