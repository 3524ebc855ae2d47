// What devices tell about themselves: rare events that a trace, a log or a test wants. Nothing on a hot path.

/** Something that happened in a device and that neither the guest nor the back end is told in this form. */
export type DeviceEvent =
	/** The guest broke the device's protocol; the device did what its specification says for that. */
	| { readonly kind: 'guest-error'; readonly device: string; readonly reason: string }
	/** The host failed: a back end reported an error. The guest was told in its own terms. */
	| { readonly kind: 'host-error'; readonly device: string; readonly reason: string }
	/** Input from outside, or a frame of the guest, was thrown away. */
	| { readonly kind: 'dropped'; readonly device: string; readonly reason: string; readonly bytes: number }
	/** A virtio driver changed the device status register. */
	| { readonly kind: 'status'; readonly device: string; readonly status: number };

/** Told of {@link DeviceEvent}s as they happen. Must not call back into the device. */
export interface DeviceObserver {
	report(event: DeviceEvent): void;
}

/** An observer that looks away: the default. */
export const NO_OBSERVER: DeviceObserver = { report: () => {} };
