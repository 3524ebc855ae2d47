/** A virtio device behind its window, as one device of a virtual machine. */
import {
	type BlockBackend,
	type NetBackend,
	SeededBytes,
	VirtioBlk,
	VirtioConsole,
	type VirtioDevice,
	VirtioEntropy,
	VirtioMmio,
	type VirtioMmioState,
	VirtioNet,
} from '@partita/devices';
import type { VirtualDevice, VirtualDevicePorts } from '@partita/vmm';

/** A virtio device, in the window of its place in the list. */
export type VirtualVirtio =
	| { readonly kind: 'block'; readonly backend: BlockBackend; readonly id?: string }
	| {
			readonly kind: 'net';
			readonly mac: Uint8Array;
			readonly backend: NetBackend;
			/** Frames that were refused would be taken now. */
			readonly onRoom?: () => void;
			/** Told how frames are given to the device: false where it has no room. A port of `@partita/network` fits. */
			readonly connect?: (receive: (frame: Uint8Array) => boolean) => void;
	  }
	| {
			readonly kind: 'console';
			/** Takes what the guest prints. */
			readonly write: (byte: number) => void;
			/** Input that was refused would be taken now. */
			readonly onRoom?: () => void;
	  }
	/** The same seed gives the same bytes; default 1. */
	| { readonly kind: 'entropy'; readonly seed?: number };

/** State of a {@link VirtualVirtioDevice}. */
export interface VirtualVirtioState {
	readonly transport: VirtioMmioState;
	readonly device: unknown;
}

interface Part {
	readonly model: VirtioDevice;
	/** Whatever has the state. */
	readonly stateful: { readonly state: unknown; restore(state: never): void };
}

/** The window and what is behind it. */
export class VirtualVirtioDevice implements VirtualDevice {
	readonly #transport: VirtioMmio;
	readonly #part: Part;

	constructor(description: VirtualVirtio, { line, memory }: VirtualDevicePorts) {
		this.#part = create(description);
		this.#transport = new VirtioMmio({ device: this.#part.model, line, memory });
	}

	/** The device behind the window: to give it frames or input. */
	get model(): VirtioDevice {
		return this.#part.model;
	}

	/** The state, the device's live. */
	get state(): VirtualVirtioState {
		return { transport: this.#transport.state, device: this.#part.stateful.state };
	}

	/** Memory must have been restored. Requests that were under way are submitted again. */
	restore({ transport, device }: VirtualVirtioState): void {
		this.#transport.restore(transport);
		this.#part.stateful.restore(device as never);
		if (this.#part.model instanceof VirtioBlk) this.#part.model.resubmit();
	}

	/** Reads a register. */
	read(offset: number, size: 1 | 2 | 4): number {
		return this.#transport.read(offset, size);
	}

	/** Writes one. */
	write(offset: number, size: 1 | 2 | 4, value: number): void {
		this.#transport.write(offset, size, value);
	}
}

function create(description: VirtualVirtio): Part {
	switch (description.kind) {
		case 'block': {
			const { backend, id } = description;
			const model = new VirtioBlk({ backend, ...(id === undefined ? {} : { id }) });
			return { model, stateful: model };
		}
		case 'net': {
			const { mac, backend, onRoom, connect } = description;
			const model = new VirtioNet({ mac, backend, ...(onRoom && { onRoom }) });
			connect?.((frame) => model.receive(frame));
			return { model, stateful: model };
		}
		case 'console': {
			const { write, onRoom } = description;
			const model = new VirtioConsole({ console: { write }, ...(onRoom && { onRoom }) });
			return { model, stateful: model };
		}
		case 'entropy': {
			const source = new SeededBytes(description.seed ?? 1);
			return { model: new VirtioEntropy(source), stateful: source };
		}
	}
}
