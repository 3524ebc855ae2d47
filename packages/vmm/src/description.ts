/**
 * What a virtual machine is made of, and whether it can be: contradictions are found before anything is allocated.
 */
import { VmError } from './errors.ts';
import type { GuestMemoryLayout, SharedMemoryDescription } from './guest-memory.ts';
import type { InterruptControllerDescription, VirtualDeviceDescription, Window } from './ports.ts';

/** VMIDs, 0 included. */
const VMIDS = 1 << 14;
/** Most virtual CPUs of a VM. */
export const MOST_VCPUS = 8;

/** Bytes that are in a guest's memory when it starts. `Image` of `@partita/machine` has such parts. */
export interface GuestPart {
	/** Guest physical address. */
	readonly address: number;
	readonly bytes: Uint8Array;
}

/** What is in memory when a guest starts, and where it starts. */
export interface GuestBoot {
	readonly parts: readonly GuestPart[];
	/** Guest physical address of the first instruction, in VS-mode. */
	readonly entry: number;
	/** What hart 0 finds in a1: where the devicetree is. Default 0. */
	readonly deviceTree?: number;
}

/** A virtual machine. */
export interface VirtualMachineOptions {
	readonly name: string;
	readonly memory: GuestMemoryLayout;
	readonly boot: GuestBoot;
	/** Virtual CPUs, 1 to 8; default 1. */
	readonly vcpus?: number;
	/**
	 * 1 to 16383. Each virtual CPU has one of its own, from this on: what one leaves in a hart's TLB is not another's. No two
	 * VMs that share harts may have the same.
	 */
	readonly vmid: number;
	/** Memory that it shares with others. */
	readonly shared?: readonly SharedMemoryDescription[];
	readonly devices?: readonly VirtualDeviceDescription[];
	readonly interruptController?: InterruptControllerDescription;
	/** An access where there is neither memory nor a device: the guest's fault, as on hardware (default), or its end. */
	readonly invalidAccess?: 'fault' | 'stop';
	/** When the guest asks for a reboot: it starts again (default), or it ends. */
	readonly reboot?: 'restart' | 'stop';
	/** Nanoseconds of a tick of `time`; default 100. */
	readonly tickNanos?: number;
}

/** Throws a {@link VmError} for the first thing that cannot be. */
export function checkDescription(options: VirtualMachineOptions): void {
	const { name, vmid, vcpus = 1 } = options;
	if (!Number.isInteger(vcpus) || vcpus < 1 || vcpus > MOST_VCPUS)
		throw new VmError(`${name}: ${vcpus} virtual CPUs: 1 to ${MOST_VCPUS} are possible`);
	if (!Number.isInteger(vmid) || vmid < 1 || vmid + vcpus > VMIDS)
		throw new VmError(`${name}: VMID ${vmid}: 1 to ${VMIDS - vcpus} are possible`);
	checkWindows(options);
	checkBoot(options);
}

function checkWindows({ name, memory, shared = [], devices = [], interruptController }: VirtualMachineOptions): void {
	const windows: Window[] = [{ name: 'memory', ...memory }, ...shared, ...devices];
	if (interruptController) windows.push(interruptController);
	for (const [index, window] of windows.entries()) {
		const { base, size } = window;
		if (!Number.isSafeInteger(base) || !Number.isSafeInteger(size) || base < 0 || size <= 0)
			throw new VmError(`${name}: ${window.name}: base ${base} and size ${size} are no range of addresses`);
		for (const other of windows.slice(0, index)) {
			if (other.name === window.name) throw new VmError(`${name}: two things are called ${window.name}`);
			if (base < other.base + other.size && other.base < base + size)
				throw new VmError(`${name}: ${window.name} overlaps ${other.name} at 0x${base.toString(16)}`);
		}
	}
	const wired = devices.filter(({ interrupt }) => interrupt !== undefined);
	const direct = wired.find(({ interrupt }) => interrupt === 'external');
	if (direct && (interruptController || wired.length > 1))
		throw new VmError(`${name}: ${direct.name} has the external interrupt, which others need too`);
	if (wired[0] && !direct && !interruptController)
		throw new VmError(`${name}: ${wired[0].name} has an interrupt, but there is no interrupt controller`);
}

function checkBoot({ name, memory, boot }: VirtualMachineOptions): void {
	const inside = (address: number, bytes: number): boolean =>
		address >= memory.base && address + bytes <= memory.base + memory.size;
	for (const { address, bytes } of boot.parts) {
		if (!inside(address, bytes.length))
			throw new VmError(
				`${name}: 0x${bytes.length.toString(16)} bytes at 0x${address.toString(16)} are not in its memory`,
			);
	}
	if (!Number.isSafeInteger(boot.entry) || !inside(boot.entry, 2) || boot.entry % 2 !== 0)
		throw new VmError(`${name}: it cannot start at 0x${boot.entry.toString(16)}`);
}
