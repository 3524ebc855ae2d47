// What devices tell about themselves: rare events that a trace, a log or a test wants. Nothing on a hot path.

/** The guest broke the device's protocol; the device did what its specification says for that. */
export interface GuestErrorEvent {
	/** Which event. */
	readonly kind: 'guest-error';
	/** The device's name: `virtio-blk`. */
	readonly device: string;
	/** What the guest did, for a person to read. */
	readonly reason: string;
}

/** The host failed: a back end reported an error. The guest was told in its own terms. */
export interface HostErrorEvent {
	/** Which event. */
	readonly kind: 'host-error';
	/** The device's name. */
	readonly device: string;
	/** What failed, and what the host said. */
	readonly reason: string;
}

/** Input from outside, or output of the guest, was thrown away. */
export interface DroppedEvent {
	/** Which event. */
	readonly kind: 'dropped';
	/** The device's name. */
	readonly device: string;
	/** Why. */
	readonly reason: string;
	/** How much. */
	readonly bytes: number;
}

/** A virtio driver wrote the device status register. */
export interface StatusEvent {
	/** Which event. */
	readonly kind: 'status';
	/** The device's name. */
	readonly device: string;
	/** The status register now. */
	readonly status: number;
}

/** Something that happened in a device and that neither the guest nor the back end is told in this form. */
export type DeviceEvent = GuestErrorEvent | HostErrorEvent | DroppedEvent | StatusEvent;

/** Told of {@link DeviceEvent}s as they happen. */
export interface DeviceObserver {
	/** One event. Must not call back into the device. */
	report(event: DeviceEvent): void;
}

/** An observer that looks away: the default. */
export const NO_OBSERVER: DeviceObserver = { report: () => {} };
