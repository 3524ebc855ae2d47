// What the virtio transport needs from a device type, and what a device type needs from its transport.
import type { GuestMemory } from '../ports.ts';
import type { SplitQueue } from './split-queue.ts';

/** A device type, as a transport drives it. */
export interface VirtioDevice {
	/** Its name in events: `virtio-blk`. */
	readonly name: string;
	/** Its number in section 5 of the specification. */
	readonly deviceId: number;
	/** The device-specific feature bits (0 to 23, 50 and up) that it offers. */
	readonly features: bigint;
	/** Per virtqueue, the largest size that the driver may choose. */
	readonly queueSizes: readonly number[];
	/** Called once, by the transport that takes the device. */
	attach(port: VirtioPort): void;
	/** Reads the configuration space, `offset` from its start; 0 past its end. */
	readConfig(offset: number, size: 1 | 2 | 4): number;
	/** The driver made buffers of a queue available, or came up. */
	notify(queue: number): void;
	/** The driver reset the device, or stopped a queue: what is under way is forgotten. */
	reset(): void;
}

/** What a device type is given by its transport. */
export interface VirtioPort {
	/** The guest's RAM. */
	readonly memory: GuestMemory;
	/** The driver is up and the device does not need a reset: queues may be used. */
	readonly active: boolean;
	/** The negotiated feature bits. */
	readonly features: bigint;
	/** A virtqueue by its index. */
	queue(index: number): SplitQueue;
	/** Notifies the driver of used buffers of a queue, where it wants that. */
	signal(queue: number): void;
	/** The configuration space changed. */
	configChanged(): void;
	/** The driver broke the rules beyond repair: the device needs a reset. */
	fail(reason: string): void;
}

/** The port of a device that no transport took yet: never active. */
export const NO_TRANSPORT: VirtioPort = {
	memory: { read: () => false, write: () => false },
	active: false,
	features: 0n,
	queue: () => {
		throw new Error('the device has no transport');
	},
	signal: () => {},
	configChanged: () => {},
	fail: () => {},
};

/** `size` bytes at `offset` of a configuration space, little-endian; 0 past its end. */
export function readConfigBytes(config: DataView, offset: number, size: 1 | 2 | 4): number {
	if (offset < 0 || offset + size > config.byteLength) return 0;
	if (size === 4) return config.getUint32(offset, true);
	return size === 2 ? config.getUint16(offset, true) : config.getUint8(offset);
}
