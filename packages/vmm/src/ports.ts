/**
 * What a virtual machine needs, and from whom: the environment that hosts its monitor (a hypervisor, or a protection domain of
 * a microkernel), the hart that a virtual CPU is on, and the devices that the composition gives it.
 */
/** Work of the monitor, as cost profiles name it. */
export type MonitorWork =
	/** A faulting load or store decoded, and the device found. */
	| 'mmioEmulation'
	/** A trapped instruction decoded. */
	| 'instructionEmulation'
	/** An SBI call. */
	| 'sbiCall'
	/** An exception entered on behalf of the guest. */
	| 'exceptionInjection'
	/** An interrupt made pending. */
	| 'interruptInjection'
	/** Memory cleared. Units: pages of 4 KiB. */
	| 'retype';

/** Physical memory by address: false, with nothing copied, where part of the range is not memory. */
export interface PhysicalAccess {
	/** Copies from memory. */
	read(address: number, into: Uint8Array): boolean;
	/** Copies into memory. */
	write(address: number, from: Uint8Array): boolean;
}

/** Who hands out physical memory, in runs. */
export interface FrameAllocator {
	/**
	 * A run of zeroed memory.
	 * @param bytes - a multiple of 4 KiB
	 * @param alignment - a power of two
	 * @returns its physical address; undefined where there is no such run
	 */
	allocate(bytes: number, alignment: number): number | undefined;
	/** Takes a run back, which has been cleared. */
	free(address: number, bytes: number): void;
}

/** Where a monitor runs. Everything in it runs to completion: nothing here calls back. */
export interface VmEnvironment {
	readonly memory: PhysicalAccess;
	readonly frames: FrameAllocator;
	/** The guest's console: its SBI's and its serial ports'. */
	readonly console: {
		/** Prints. */
		write(bytes: Uint8Array): void;
		/** Input that was refused would be taken now; it is to be offered again later, not in this call. */
		ready(): void;
	};
	/** Virtual nanoseconds. */
	now(): number;
	/** The monitor has worked: the host makes time pass for it. */
	work(work: MonitorWork, units: number): void;
	/** A virtual CPU that waited can go on. */
	wake(vcpu: number): void;
	/** `VirtualMachine.nextEvent` may have changed. */
	timerChanged(): void;
}

/** A hart that a virtual CPU is loaded on; `Hart` of `@partita/cpu` fits. */
export interface VcpuHart {
	/** Indexed by `Slot` of `@partita/cpu`. */
	readonly state: BigUint64Array;
	readonly ports: {
		/** Forgets translations: of an address, an ASID or VMID, or all. */
		flush(kind: 'vma' | 'vvma' | 'gvma', address: bigint | undefined, id: bigint | undefined): void;
		/** What an address means has changed: mode, roots of page tables. */
		contextChanged(): void;
		/** PMP has changed. */
		protectionChanged(): void;
		/** FS, or the rounding mode. */
		floatStateChanged(): void;
		/** Interrupts that are pending or enabled. */
		interruptsChanged(): void;
		/** stimecmp, vstimecmp or htimedelta. */
		timerChanged(): void;
	};
}

/** A trap out of the guest; `TrapExit` of `@partita/cpu` fits. */
export interface VmExit {
	readonly cause: number;
	readonly interrupt: boolean;
	/** What stval would be. */
	readonly value: bigint;
	readonly guest:
		| {
				/** Not shifted, unlike htval. */
				readonly physicalAddress: bigint;
				/** htinst. */
				readonly instruction: bigint;
		  }
		| undefined;
}

/** A wire. */
export interface InterruptLine {
	/** Drives it. */
	set(level: boolean): void;
}

/** What a virtual device is given. Device models of `@partita/devices` take their ports from it. */
export interface VirtualDevicePorts {
	/** Its interrupt; leads nowhere where its description names none. */
	readonly line: InterruptLine;
	/** Guest memory by guest physical address: all of a transfer, or none of it. */
	readonly memory: PhysicalAccess;
	/** The guest's console, for serial ports. */
	readonly console: {
		/** Prints. */
		write(byte: number): void;
	};
	/** A serial port that has refused input would take some now. */
	inputReady(): void;
	/** Virtual nanoseconds. */
	now(): number;
	/** When its `expire` is to be called. */
	readonly timer: {
		/** In place of the one before; undefined: no call. */
		setDeadline(nanos: number | undefined): void;
	};
}

/** A device's registers, and its plain state. */
export interface VirtualDevice {
	/** Reads a register. */
	read(offset: number, size: 1 | 2 | 4): number;
	/** Writes one. */
	write(offset: number, size: 1 | 2 | 4, value: number): void;
	readonly state: unknown;
	/** Takes over a copy of a saved state. */
	restore(state: never): void;
	/** The deadline that it set has come. */
	expire?(): void;
	/** Another VM rings, for a doorbell: bit 0 to 31. */
	rung?(bit: number): void;
	/** Console input, for a serial port. @returns how many bytes were taken, from the front */
	receive?(bytes: Uint8Array): number;
}

/** A virtual interrupt controller: `Plic` of `@partita/intc` fits. */
export interface VirtualInterruptController extends VirtualDevice {
	/** The line of a source. */
	source(number: number): InterruptLine;
}

/** A window of guest physical addresses. */
export interface Window {
	/** Unique in its VM: its state is saved under it. */
	readonly name: string;
	readonly base: number;
	readonly size: number;
}

/** A device of a virtual machine. */
export interface VirtualDeviceDescription extends Window {
	/** Source at the interrupt controller; `external`: there is none, and this is virtual CPU 0's external interrupt. */
	readonly interrupt?: number | 'external';
	/** Makes the device, once. */
	create(ports: VirtualDevicePorts): VirtualDevice;
}

/** The interrupt controller of a virtual machine. */
export interface InterruptControllerDescription extends Window {
	/**
	 * Makes the controller, once.
	 * @param lines - by virtual CPU, to its supervisor external interrupt
	 */
	create(lines: readonly InterruptLine[]): VirtualInterruptController;
}
