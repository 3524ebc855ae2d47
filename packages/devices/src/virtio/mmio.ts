// The virtio-mmio transport: virtio 1.2, section 4.2, version 2 (modern) only; and the device status protocol of
// sections 2.1, 2.2 and 3.1. Not here: the legacy version 1, shared memory regions, VIRTIO_F_RING_RESET.
import { type DeviceObserver, NO_OBSERVER } from '../observer.ts';
import { type AccessSize, type GuestMemory, type InterruptLine, type MmioDevice, NO_LINE } from '../ports.ts';
import { StateCheck } from '../state-error.ts';
import type { VirtioDevice, VirtioPort } from './device.ts';
import {
	checkQueue,
	SplitQueue,
	type SplitQueueState,
	VIRTIO_F_EVENT_IDX,
	VIRTIO_F_INDIRECT_DESC,
	VIRTIO_F_VERSION_1,
} from './split-queue.ts';

/** Register offsets (section 4.2.2, table 4.1). */
export const VIRTIO_MMIO = {
	/** Reads "virt". */
	MagicValue: 0x000,
	/** Reads 2. */
	Version: 0x004,
	/** Device type; 0: a placeholder. */
	DeviceID: 0x008,
	/** Vendor. */
	VendorID: 0x00c,
	/** 32 of the features that the device offers. */
	DeviceFeatures: 0x010,
	/** Which 32. */
	DeviceFeaturesSel: 0x014,
	/** 32 of the features that the driver takes. */
	DriverFeatures: 0x020,
	/** Which 32. */
	DriverFeaturesSel: 0x024,
	/** The queue that the queue registers are about. */
	QueueSel: 0x030,
	/** Its largest size; 0: there is no such queue. */
	QueueNumMax: 0x034,
	/** Its size. */
	QueueNum: 0x038,
	/** 1 while it is in use. */
	QueueReady: 0x044,
	/** Index of a queue with new buffers. */
	QueueNotify: 0x050,
	/** Bit 0: used buffers; bit 1: configuration change. */
	InterruptStatus: 0x060,
	/** Clears bits of InterruptStatus. */
	InterruptACK: 0x064,
	/** Device status; writing 0 resets. */
	Status: 0x070,
	/** Descriptor table, low half. */
	QueueDescLow: 0x080,
	/** Descriptor table, high half. */
	QueueDescHigh: 0x084,
	/** Driver area (available ring), low half. */
	QueueDriverLow: 0x090,
	/** Driver area, high half. */
	QueueDriverHigh: 0x094,
	/** Device area (used ring), low half. */
	QueueDeviceLow: 0x0a0,
	/** Device area, high half. */
	QueueDeviceHigh: 0x0a4,
	/** The shared memory region that the next four are about. */
	SHMSel: 0x0ac,
	/** Its length, low half. */
	SHMLenLow: 0x0b0,
	/** Its length, high half. */
	SHMLenHigh: 0x0b4,
	/** Its address, low half. */
	SHMBaseLow: 0x0b8,
	/** Its address, high half. */
	SHMBaseHigh: 0x0bc,
	/** Changes with the configuration space. */
	ConfigGeneration: 0x0fc,
	/** Start of the configuration space. */
	Config: 0x100,
} as const;

/** Bits of the device status register (section 2.1). */
export const VIRTIO_STATUS = {
	/** The guest found the device. */
	ACKNOWLEDGE: 1,
	/** It has a driver for it. */
	DRIVER: 2,
	/** The driver is up. */
	DRIVER_OK: 4,
	/** The features are agreed. */
	FEATURES_OK: 8,
	/** The device cannot go on. */
	DEVICE_NEEDS_RESET: 64,
	/** The driver gave up. */
	FAILED: 128,
} as const;

const { ACKNOWLEDGE, DRIVER, DRIVER_OK, FEATURES_OK, DEVICE_NEEDS_RESET, FAILED } = VIRTIO_STATUS;
const STATUS_BITS = ACKNOWLEDGE | DRIVER | DRIVER_OK | FEATURES_OK | FAILED;

/** "virt", little-endian. */
const MAGIC = 0x74726976;
const VERSION = 2;
/** "QEMU": what guests see as the vendor there. */
const QEMU_VENDOR = 0x554d4551;
const INTERRUPT_USED = 1;
const INTERRUPT_CONFIG = 2;
/** The features that the transport and its queues give to every device. */
const TRANSPORT_FEATURES = VIRTIO_F_VERSION_1 | VIRTIO_F_EVENT_IDX | VIRTIO_F_INDIRECT_DESC;

/** Everything that a transport remembers; the device type has a state of its own. */
export interface VirtioMmioState {
	/** Device status register. */
	status: number;
	/** DeviceFeaturesSel. */
	deviceFeaturesSel: number;
	/** DriverFeaturesSel. */
	driverFeaturesSel: number;
	/** What the driver wrote to DriverFeatures; negotiated once status has FEATURES_OK. */
	driverFeatures: bigint;
	/** QueueSel. */
	queueSel: number;
	/** InterruptStatus. */
	interruptStatus: number;
	/** ConfigGeneration, 32 bits. */
	configGeneration: number;
	/** The virtqueues. */
	queues: SplitQueueState[];
}

/** What a transport is built from. */
export interface VirtioMmioOptions {
	/** The device type; without one, the window is the specification's placeholder (DeviceID 0). */
	readonly device?: VirtioDevice;
	/** The guest's RAM. */
	readonly memory: GuestMemory;
	/** The interrupt line; none when left out. */
	readonly line?: InterruptLine;
	/** Told of status changes and of drivers that break the rules. */
	readonly observer?: DeviceObserver;
	/** VendorID; "QEMU" when left out. */
	readonly vendor?: number;
}

/** A virtio-mmio window of 0x200 bytes (boards reserve 0x1000), with a device type behind it. */
export class VirtioMmio implements MmioDevice {
	/** The whole state; plain data, owned by this transport. */
	readonly state: VirtioMmioState;
	readonly #device: VirtioDevice | undefined;
	readonly #line: InterruptLine;
	readonly #observer: DeviceObserver;
	readonly #vendor: number;
	readonly #queues: readonly SplitQueue[];
	readonly #offered: bigint;

	constructor(options: VirtioMmioOptions) {
		this.#device = options.device;
		this.#line = options.line ?? NO_LINE;
		this.#observer = options.observer ?? NO_OBSERVER;
		this.#vendor = (options.vendor ?? QEMU_VENDOR) >>> 0;
		this.#offered = (options.device?.features ?? 0n) | TRANSPORT_FEATURES;
		const port = this.#port(options.memory);
		this.#queues = (options.device?.queueSizes ?? []).map((size) => new SplitQueue(size, port));
		this.state = { ...fresh(), queues: this.#queues.map((queue) => queue.state) };
		options.device?.attach(port);
	}

	/**
	 * Reads a register (4 bytes, aligned) or configuration space (1, 2 or 4 bytes, aligned); everything else reads 0.
	 */
	read(offset: number, size: AccessSize): number {
		const device = this.#device;
		if (device === undefined) return size === 4 ? this.#readPlaceholder(offset) : 0;
		if (offset >= VIRTIO_MMIO.Config)
			return offset % size === 0 ? device.readConfig(offset - VIRTIO_MMIO.Config, size) : 0;
		if (size !== 4) return 0;
		const { state } = this;
		const queue = this.#queues[state.queueSel];
		switch (offset) {
			case VIRTIO_MMIO.DeviceID:
				return device.deviceId;
			case VIRTIO_MMIO.DeviceFeatures:
				return state.deviceFeaturesSel > 1
					? 0
					: Number((this.#offered >> BigInt(32 * state.deviceFeaturesSel)) & 0xffffffffn);
			case VIRTIO_MMIO.QueueNumMax:
				return queue === undefined ? 0 : queue.maxSize;
			case VIRTIO_MMIO.QueueReady:
				return queue?.state.ready ? 1 : 0;
			case VIRTIO_MMIO.InterruptStatus:
				return state.interruptStatus;
			case VIRTIO_MMIO.Status:
				return state.status;
			case VIRTIO_MMIO.SHMLenLow:
			case VIRTIO_MMIO.SHMLenHigh:
			case VIRTIO_MMIO.SHMBaseLow:
			case VIRTIO_MMIO.SHMBaseHigh:
				return 0xffffffff;
			case VIRTIO_MMIO.ConfigGeneration:
				return state.configGeneration;
			default:
				return this.#readPlaceholder(offset);
		}
	}

	/** Writes a register (4 bytes, aligned); everything else is ignored, as is what the status protocol forbids. */
	write(offset: number, size: AccessSize, value: number): void {
		if (this.#device === undefined || size !== 4) return;
		const { state } = this;
		const word = value >>> 0;
		switch (offset) {
			case VIRTIO_MMIO.DeviceFeaturesSel:
				state.deviceFeaturesSel = word;
				break;
			case VIRTIO_MMIO.DriverFeaturesSel:
				state.driverFeaturesSel = word;
				break;
			case VIRTIO_MMIO.DriverFeatures:
				this.#writeFeatures(word);
				break;
			case VIRTIO_MMIO.QueueSel:
				state.queueSel = word;
				break;
			case VIRTIO_MMIO.QueueReady:
				this.#writeReady(word);
				break;
			case VIRTIO_MMIO.QueueNotify:
				if (this.#active && this.#queues[word]?.state.ready) this.#device.notify(word);
				break;
			case VIRTIO_MMIO.InterruptACK:
				state.interruptStatus &= ~word;
				this.#update();
				break;
			case VIRTIO_MMIO.Status:
				this.#writeStatus(word);
				break;
			default:
				this.#writeQueue(offset, word);
		}
	}

	/** Resets the device as the driver can (section 2.1): all but the device type's configuration is cleared. */
	reset(): void {
		Object.assign(this.state, fresh(), { configGeneration: this.state.configGeneration });
		for (const queue of this.#queues) queue.reset();
		this.#device?.reset();
		this.#update();
	}

	/**
	 * Takes over a copy of a saved state and drives the line. Restore guest RAM first, the device type after.
	 * @throws StateError where it does not fit.
	 */
	restore(state: VirtioMmioState): void {
		const check = new StateCheck(this.#name, state);
		check.integer('status', state.status, 0xff);
		for (const name of ['deviceFeaturesSel', 'driverFeaturesSel', 'queueSel', 'configGeneration'] as const)
			check.integer(name, state[name], 0xffffffff);
		check.unsigned64('driverFeatures', state.driverFeatures);
		check.that(
			!(state.status & FEATURES_OK) || (state.driverFeatures & ~this.#offered) === 0n,
			'driverFeatures must be among those that this device offers',
		);
		check.integer('interruptStatus', state.interruptStatus, 3);
		check.list('queues', state.queues, this.#queues.length);
		check.that(state.queues.length === this.#queues.length, `there must be ${this.#queues.length} queues`);
		this.#queues.forEach((queue, index) => {
			checkQueue(check, `queues[${index}]`, state.queues[index], queue.maxSize);
		});
		const { queues, ...registers } = state;
		Object.assign(this.state, registers);
		this.#queues.forEach((queue, index) => {
			queue.restore(queues[index]);
		});
		this.#update();
	}

	get #name(): string {
		return this.#device?.name ?? 'virtio-mmio';
	}

	/** The driver is up, and nothing is wrong. */
	get #active(): boolean {
		return (this.state.status & (DRIVER_OK | DEVICE_NEEDS_RESET | FAILED)) === DRIVER_OK;
	}

	#port(memory: GuestMemory): VirtioPort {
		const isActive = () => this.#active;
		const negotiated = () => (this.state.status & FEATURES_OK ? this.state.driverFeatures : 0n);
		return {
			memory,
			get active() {
				return isActive();
			},
			get features() {
				return negotiated();
			},
			queue: (index) => this.#queues[index],
			signal: (index) => {
				if (this.#queues[index].wantsNotification()) this.#interrupt(INTERRUPT_USED);
			},
			configChanged: () => {
				this.state.configGeneration = (this.state.configGeneration + 1) >>> 0;
				if (this.#active) this.#interrupt(INTERRUPT_CONFIG);
			},
			fail: (reason) => this.#fail(reason),
		};
	}

	#readPlaceholder(offset: number): number {
		switch (offset) {
			case VIRTIO_MMIO.MagicValue:
				return MAGIC;
			case VIRTIO_MMIO.Version:
				return VERSION;
			case VIRTIO_MMIO.VendorID:
				return this.#vendor;
			default:
				return 0;
		}
	}

	/** Features can be chosen until FEATURES_OK (section 3.1.1). */
	#writeFeatures(word: number): void {
		const { state } = this;
		if (state.driverFeaturesSel > 1 || state.status & FEATURES_OK) return;
		const shift = BigInt(32 * state.driverFeaturesSel);
		state.driverFeatures = (state.driverFeatures & ~(0xffffffffn << shift)) | (BigInt(word) << shift);
	}

	/** A queue's size and addresses can be chosen while it is not in use. */
	#writeQueue(offset: number, word: number): void {
		const queue = this.#queues[this.state.queueSel]?.state;
		if (queue === undefined || queue.ready) return;
		const low = (area: bigint) => (area & ~0xffffffffn) | BigInt(word);
		const high = (area: bigint) => (area & 0xffffffffn) | (BigInt(word) << 32n);
		switch (offset) {
			case VIRTIO_MMIO.QueueNum:
				queue.size = word;
				break;
			case VIRTIO_MMIO.QueueDescLow:
				queue.desc = low(queue.desc);
				break;
			case VIRTIO_MMIO.QueueDescHigh:
				queue.desc = high(queue.desc);
				break;
			case VIRTIO_MMIO.QueueDriverLow:
				queue.driver = low(queue.driver);
				break;
			case VIRTIO_MMIO.QueueDriverHigh:
				queue.driver = high(queue.driver);
				break;
			case VIRTIO_MMIO.QueueDeviceLow:
				queue.device = low(queue.device);
				break;
			case VIRTIO_MMIO.QueueDeviceHigh:
				queue.device = high(queue.device);
				break;
		}
	}

	#writeReady(word: number): void {
		const queue = this.#queues[this.state.queueSel];
		if (queue === undefined) return;
		if (word & 1) {
			if (queue.state.ready) return;
			const wrong = queue.enable();
			if (wrong !== undefined) this.#fail(wrong);
		} else if (queue.state.ready) {
			queue.state.ready = false;
			this.#device?.reset();
		}
	}

	/** The driver can only add bits, in the order of section 3.1.1, or write 0 to reset. */
	#writeStatus(word: number): void {
		const { state } = this;
		if (word === 0) {
			this.reset();
			this.#observer.report({ kind: 'status', device: this.#name, status: 0 });
			return;
		}
		let added = word & STATUS_BITS & ~state.status;
		const agreed = ((state.status | added) & DRIVER) !== 0 && this.#featuresFit();
		if (!agreed) added &= ~FEATURES_OK;
		if (!((state.status | added) & FEATURES_OK)) added &= ~DRIVER_OK;
		state.status |= added;
		this.#observer.report({ kind: 'status', device: this.#name, status: state.status });
		if (!(added & DRIVER_OK) || !this.#active) return;
		this.#queues.forEach((queue, index) => {
			if (queue.state.ready && this.#active) this.#device?.notify(index);
		});
	}

	/**
	 * Section 2.2.2: only offered features. A device may refuse a driver that leaves VIRTIO_F_VERSION_1 out (section 6.1);
	 * this one serves it, as QEMU's does: xv6's driver never accepts more than the first 32 bits.
	 */
	#featuresFit(): boolean {
		return (this.state.driverFeatures & ~this.#offered) === 0n;
	}

	/** Section 2.1.2: the driver is told by a configuration change once it is up. */
	#fail(reason: string): void {
		const { state } = this;
		this.#observer.report({ kind: 'guest-error', device: this.#name, reason });
		if (state.status & DEVICE_NEEDS_RESET) return;
		state.status |= DEVICE_NEEDS_RESET;
		if (state.status & DRIVER_OK) this.#interrupt(INTERRUPT_CONFIG);
	}

	#interrupt(bit: number): void {
		this.state.interruptStatus |= bit;
		this.#update();
	}

	#update(): void {
		this.#line.set(this.state.interruptStatus !== 0);
	}
}

function fresh(): Omit<VirtioMmioState, 'queues'> {
	return {
		status: 0,
		deviceFeaturesSel: 0,
		driverFeaturesSel: 0,
		driverFeatures: 0n,
		queueSel: 0,
		interruptStatus: 0,
		configGeneration: 0,
	};
}
