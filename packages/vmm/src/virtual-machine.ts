/**
 * A virtual machine and its monitor: one that is told of exits, and says what is to be done. It runs to completion over plain
 * state and does not know whether it is privileged: a hypervisor links it, or a protection domain of a microkernel holds it.
 *
 * Not here: who runs when, what the time is, what work costs (the environment), images and devicetrees (given as parts).
 */
import { Slot } from '@partita/cpu';
import { exceptions } from '@partita/riscv';
import { Sbi } from '@partita/sbi';
import { checkDescription, type VirtualMachineOptions } from './description.ts';
import { GuestMemory } from './guest-memory.ts';
import { decodeAccess, performAccess } from './mmio.ts';
import type {
	InterruptLine,
	VirtualDevice,
	VirtualInterruptController,
	VmEnvironment,
	VmExit,
	Window,
} from './ports.ts';
import type { VirtualMachineState, VmAction, VmEnding, VmExitCounts, VmPlacement } from './state.ts';
import { Vcpu } from './vcpu.ts';

const RESUME: VmAction = { kind: 'resume' };
const WAIT: VmAction = { kind: 'wait' };
const CLEAR: VmAction = { kind: 'clear' };
const WFI = 0x1050_0073n;
const A0 = Slot.x + 10;
/** Most console input that waits for the SBI. */
const INPUT_BYTES = 4096;
const NO_LINE: InterruptLine = { set: () => {} };

interface Mapped extends Window {
	readonly device: VirtualDevice;
}

/** A virtual machine. */
export class VirtualMachine {
	readonly name: string;
	readonly memory: GuestMemory;
	/** By hart id. */
	readonly vcpus: readonly Vcpu[];
	readonly #options: VirtualMachineOptions;
	readonly #environment: VmEnvironment;
	readonly #tickNanos: number;
	readonly #sbi: Sbi;
	/** By address. */
	readonly #windows: readonly Mapped[];
	/** The devices' states after their making. */
	readonly #initial: ReadonlyMap<string, unknown>;
	#vmid: number;
	#deadlines: Record<string, number> = {};
	#lastExit: keyof VmExitCounts = 'sbi';
	#inputRefused = false;
	#paused = false;
	#ending: VmEnding | undefined;
	#clearing: number | undefined;
	#disposed = false;
	#exits: VmExitCounts = { sbi: 0, mmioLoad: 0, mmioStore: 0, wait: 0, instruction: 0, invalidAccess: 0 };
	#restarts = 0;
	#input: number[] = [];

	/** @throws VmError where the description contradicts itself, or the board's memory does not suffice */
	constructor(options: VirtualMachineOptions, environment: VmEnvironment) {
		checkDescription(options);
		const { name, vmid } = options;
		this.name = name;
		this.#vmid = vmid;
		this.#options = options;
		this.#environment = environment;
		this.#tickNanos = options.tickNanos ?? 100;
		this.memory = new GuestMemory(options.memory, environment.memory, environment.frames, options.shared);
		const hgatp = (id: number): bigint => this.memory.hgatp | (BigInt(this.#vmid + id) << 44n);
		const ticks = (): bigint => BigInt(Math.floor(environment.now() / this.#tickNanos));
		this.vcpus = Array.from(
			{ length: options.vcpus ?? 1 },
			(_, id) => new Vcpu({ id, hgatp: () => hgatp(id), ticks, wake: () => environment.wake(id) }),
		);
		this.#sbi = new Sbi({
			harts: this.vcpus,
			hypervisor: false,
			memory: this.memory,
			console: { write: (bytes) => environment.console.write(bytes), read: (max) => this.#takeInput(max) },
			reset: (type, failure) => this.#requestReset(type === 'shutdown', failure),
		});
		this.#windows = this.#createDevices();
		this.#initial = new Map(this.#windows.map(({ name, device }) => [name, structuredClone(device.state)]));
		this.#start();
	}

	/** The VMIDs of its virtual CPUs. */
	get vmids(): number[] {
		return this.vcpus.map(({ id }) => this.#vmid + id);
	}

	/** Where it is. */
	get placement(): VmPlacement {
		return { vmid: this.#vmid, memory: this.memory.placement };
	}

	/** It is somewhere else, with VMIDs that nobody else has, before {@link restore}. */
	place({ vmid, memory }: VmPlacement): void {
		this.#vmid = vmid;
		this.memory.place(memory);
	}

	/** How it ended, once it has. */
	get ending(): VmEnding | undefined {
		return this.#ending;
	}

	/** Whether it is paused. */
	get paused(): boolean {
		return this.#paused;
	}

	/** Exits so far, by what they were. */
	get exits(): Readonly<VmExitCounts> {
		return this.#exits;
	}

	/** What the last exit was. */
	get lastExit(): keyof VmExitCounts {
		return this.#lastExit;
	}

	/** How often it was started again. */
	get restarts(): number {
		return this.#restarts;
	}

	/** Whether a virtual CPU wants the processor: to run, or for its monitor to clear memory with its time. */
	isRunnable(vcpu: number): boolean {
		const cpu = this.vcpus[vcpu];
		if (this.#clearing !== undefined) return vcpu === 0;
		return (
			cpu !== undefined && !this.#paused && this.#ending === undefined && this.#sbi.isRunning(vcpu) && !cpu.waiting
		);
	}

	/** Whether its memory is being cleared: until it has been, no virtual CPU may be run. */
	get clearing(): boolean {
		return this.#clearing !== undefined;
	}

	/** It was disposed of and is cleared: it can be freed. */
	get gone(): boolean {
		return this.#disposed && this.#clearing === undefined;
	}

	/** A copy of the state, for a snapshot; memory is the board's to save. */
	get state(): VirtualMachineState {
		return {
			vcpus: this.vcpus.map(({ state }) => state),
			sbi: this.#sbi.state,
			devices: Object.fromEntries(this.#windows.map(({ name, device }) => [name, structuredClone(device.state)])),
			deadlines: { ...this.#deadlines },
			paused: this.#paused,
			ending: this.#ending,
			exits: { ...this.#exits },
			restarts: this.#restarts,
			input: [...this.#input],
			inputRefused: this.#inputRefused,
			clearing: this.#clearing,
			disposed: this.#disposed,
		};
	}

	/** Takes a saved state of a machine with the same description; its virtual CPUs are on no hart then. */
	restore(state: VirtualMachineState): void {
		if (state.vcpus.length !== this.vcpus.length)
			throw new RangeError(`snapshot of VM ${this.name}: other virtual CPUs`);
		this.vcpus.forEach((vcpu, id) => {
			vcpu.restore(state.vcpus[id]!);
		});
		this.#sbi.restore(state.sbi);
		for (const { name, device } of this.#windows) {
			if (!(name in state.devices)) throw new RangeError(`snapshot of VM ${this.name}: it has no device ${name}`);
			device.restore(state.devices[name] as never);
		}
		this.#deadlines = { ...state.deadlines };
		this.#paused = state.paused;
		this.#ending = state.ending;
		this.#exits = { ...state.exits };
		this.#restarts = state.restarts;
		this.#input = [...state.input];
		this.#inputRefused = state.inputRefused;
		this.#clearing = state.clearing;
		this.#disposed = state.disposed;
		// Last: what devices drove while they were restored is part of what was saved.
		this.vcpus.forEach((vcpu, id) => {
			vcpu.restore(state.vcpus[id]!);
		});
	}

	/** A device, by its name in the description: to give it input. */
	device(name: string): VirtualDevice {
		const found = this.#windows.find((window) => window.name === name);
		if (!found) throw new RangeError(`VM ${this.name} has no device ${name}`);
		return found.device;
	}

	/**
	 * Console input: for its first serial port, or where it has none, for its SBI.
	 * @returns how many bytes were taken, from the front; the rest is to be offered again
	 */
	receive(bytes: Uint8Array): number {
		const serial = this.#windows.find(({ device }) => device.receive !== undefined);
		if (serial) return serial.device.receive!(bytes);
		const taken = Math.min(bytes.length, INPUT_BYTES - this.#input.length);
		this.#input.push(...bytes.subarray(0, taken));
		this.#inputRefused = taken < bytes.length;
		return taken;
	}

	/** Another VM rings: for its doorbell. @returns whether it has one */
	ring(bit: number): boolean {
		const bell = this.#windows.find(({ device }) => device.rung !== undefined);
		bell?.device.rung?.(bit);
		return bell !== undefined;
	}

	/** It is not run until {@link resume}. Its time goes on. */
	pause(): void {
		this.#paused = true;
	}

	/** It goes on. */
	resume(): void {
		this.#paused = false;
		for (const { id } of this.vcpus) if (this.isRunnable(id)) this.#environment.wake(id);
	}

	/** It ends now, for a reason of the host's. */
	stop(detail?: string): void {
		if (!this.#disposed) this.#clearing = undefined;
		this.#end({ reason: 'stopped', code: 0, ...(detail === undefined ? {} : { detail }) });
	}

	/**
	 * It starts again, even if it had ended: memory, devices and virtual CPUs as at first. Its memory must be cleared for that
	 * (see {@link clear}), during which it does nothing.
	 */
	reset(): void {
		if (this.#disposed) return;
		this.#clearing = 0;
		this.#deadlines = {};
		this.#environment.wake(0);
	}

	/** It ends, is cleared (see {@link clear}), and is never run again. */
	dispose(): void {
		this.#end({ reason: 'stopped', code: 0 });
		this.#disposed = true;
		this.#clearing = 0;
		this.#environment.wake(0);
	}

	/** Clears so many pages of its memory, with no virtual CPU on a hart. @returns whether it is done */
	clear(pages: number): boolean {
		if (this.#clearing === undefined) return true;
		const from = this.#clearing;
		this.#clearing = this.memory.clear(from, pages);
		this.#environment.work('retype', (this.#clearing - from) / 4096);
		if (this.#clearing < this.memory.size) return false;
		this.#clearing = undefined;
		if (!this.#disposed) this.#restart();
		return true;
	}

	/**
	 * Takes shared memory away: an access is a fault of the guest from now on. The host makes all harts forget translations of
	 * its VMIDs.
	 * @returns false where it does not have it
	 * @throws VmError where there is no memory for other tables; nothing has changed then
	 */
	unshare(name: string): boolean {
		if (!this.memory.unshare(name)) return false;
		for (const vcpu of this.vcpus) vcpu.memoryChanged();
		return true;
	}

	/** Gives its memory back, once it is {@link gone}, or has never run. */
	free(): void {
		this.memory.free();
	}

	/** Virtual nanoseconds at which {@link expire} must be called at the latest; undefined: nothing is armed. */
	get nextEvent(): number | undefined {
		if (this.#ending || this.#clearing !== undefined) return undefined;
		let next = Number.MAX_SAFE_INTEGER;
		for (const name in this.#deadlines) next = Math.min(next, this.#deadlines[name]!);
		for (const vcpu of this.vcpus) {
			const tick = vcpu.wakeTick;
			if (tick !== undefined && tick < BigInt(Number.MAX_SAFE_INTEGER))
				next = Math.min(next, Number(tick) * this.#tickNanos);
		}
		return next < Number.MAX_SAFE_INTEGER ? next : undefined;
	}

	/** Does what is due: timers of devices, and of virtual CPUs that wait. Early calls do no harm. */
	expire(): void {
		if (this.#ending || this.#clearing !== undefined) return;
		const now = this.#environment.now();
		for (const { name, device } of this.#windows) {
			if ((this.#deadlines[name] ?? Number.POSITIVE_INFINITY) > now) continue;
			delete this.#deadlines[name];
			device.expire?.();
		}
		for (const vcpu of this.vcpus) vcpu.checkWake();
	}

	/** A virtual CPU left the guest with an exception that is not the guest's own. */
	handleExit(id: number, exit: VmExit): VmAction {
		const vcpu = this.vcpus[id]!;
		vcpu.words[Slot.reservation] = 0xffff_ffff_ffff_ffffn;
		switch (exit.cause) {
			case exceptions.EnvironmentCallFromVS:
				this.#call(vcpu);
				break;
			case exceptions.LoadGuestPageFault:
			case exceptions.StoreGuestPageFault:
				this.#access(vcpu, exit);
				break;
			case exceptions.InstructionGuestPageFault:
				this.#invalidAccess(vcpu, exit, exceptions.InstructionAccessFault);
				break;
			case exceptions.VirtualInstruction:
				this.#virtualInstruction(vcpu, exit);
				break;
			default:
				this.#end({ reason: 'fault', code: 1, detail: `unexpected exception ${exit.cause} at 0x${pc(vcpu)}` });
		}
		if (this.#clearing !== undefined) return CLEAR;
		if (this.#ending) return { kind: 'stopped', ending: this.#ending };
		return this.isRunnable(id) ? RESUME : WAIT;
	}

	#count(exit: keyof VmExitCounts): void {
		this.#exits[exit]++;
		this.#lastExit = exit;
	}

	#call(vcpu: Vcpu): void {
		this.#count('sbi');
		const { words } = vcpu;
		const returns = this.#sbi.call(vcpu.id, words.subarray(A0, A0 + 8));
		this.#environment.work('sbiCall', 0);
		if (returns) vcpu.skip(4);
	}

	#virtualInstruction(vcpu: Vcpu, exit: VmExit): void {
		this.#environment.work('instructionEmulation', 1);
		// In VU-mode it is illegal, as it is in U-mode.
		if (exit.value === WFI && vcpu.words[Slot.privilege] === 1n) {
			this.#count('wait');
			vcpu.skip(4);
			vcpu.waitForInterrupt();
			return;
		}
		this.#count('instruction');
		this.#raise(vcpu, exceptions.IllegalInstruction, exit.value);
	}

	#access(vcpu: Vcpu, exit: VmExit): void {
		const store = exit.cause === exceptions.StoreGuestPageFault;
		const access = exit.guest && decodeAccess(exit.guest.instruction);
		const address = Number(exit.guest?.physicalAddress ?? -1n);
		const window = access && access.store === store ? this.#find(address, access.bytes) : undefined;
		if (!window || address % access!.bytes !== 0) {
			this.#invalidAccess(vcpu, exit, store ? exceptions.StoreAccessFault : exceptions.LoadAccessFault);
			return;
		}
		if (store) this.#count('mmioStore');
		else this.#count('mmioLoad');
		this.#environment.work('mmioEmulation', 1);
		performAccess(vcpu, access!, window.device, address - window.base);
	}

	#invalidAccess(vcpu: Vcpu, { guest, value }: VmExit, cause: number): void {
		this.#count('invalidAccess');
		this.#environment.work('mmioEmulation', 1);
		if (this.#options.invalidAccess === 'stop') {
			const address = (guest?.physicalAddress ?? 0n).toString(16);
			this.#fault(vcpu, `access to guest physical address 0x${address}, where there is nothing`);
		} else if (vcpu.faultsForEver(cause, value)) {
			this.#fault(vcpu, 'its trap handler cannot be fetched');
		} else this.#raise(vcpu, cause, value);
	}

	#raise(vcpu: Vcpu, cause: number, value: bigint): void {
		this.#environment.work('exceptionInjection', 1);
		vcpu.raise(cause, value);
	}

	#fault(vcpu: Vcpu, what: string): void {
		this.#end({ reason: 'fault', code: 1, detail: `${what}, at pc 0x${pc(vcpu)}` });
	}

	#requestReset(shutdown: boolean, failure: boolean): void {
		if (shutdown) this.#end({ reason: 'power-off', code: failure ? 1 : 0 });
		else if (this.#options.reboot === 'stop') this.#end({ reason: 'reset', code: failure ? 1 : 0 });
		else this.reset();
	}

	#end(ending: VmEnding): void {
		this.#ending ??= ending;
	}

	#restart(): void {
		for (const { name, device } of this.#windows) device.restore(this.#initial.get(name) as never);
		this.#deadlines = {};
		this.#input = [];
		this.#ending = undefined;
		this.#restarts++;
		this.#start();
		for (const { id } of this.vcpus) if (this.isRunnable(id)) this.#environment.wake(id);
	}

	#start(): void {
		const { parts, entry, deviceTree = 0 } = this.#options.boot;
		for (const { address, bytes } of parts) this.memory.write(address, bytes);
		this.#sbi.initialise(0);
		this.vcpus.forEach((vcpu, id) => {
			vcpu.reset(id === 0 ? BigInt(entry) : 0n, id === 0 ? BigInt(deviceTree) : 0n);
		});
	}

	#takeInput(max: number): Uint8Array {
		const bytes = Uint8Array.from(this.#input.splice(0, max));
		if (this.#inputRefused) this.#environment.console.ready();
		this.#inputRefused = false;
		return bytes;
	}

	#find(address: number, bytes: number): Mapped | undefined {
		const windows = this.#windows;
		let low = 0;
		let high = windows.length - 1;
		while (low <= high) {
			const middle = (low + high) >> 1;
			const window = windows[middle]!;
			if (address < window.base) high = middle - 1;
			else if (address >= window.base + window.size) low = middle + 1;
			else return address + bytes <= window.base + window.size ? window : undefined;
		}
		return undefined;
	}

	#createDevices(): Mapped[] {
		const { devices = [], interruptController } = this.#options;
		const external = this.vcpus.map(
			(vcpu): InterruptLine => ({
				set: (level) => {
					if (level) this.#environment.work('interruptInjection', 1);
					vcpu.setExternal(level);
				},
			}),
		);
		const mapped: Mapped[] = [];
		let controller: VirtualInterruptController | undefined;
		if (interruptController) {
			controller = interruptController.create(external);
			mapped.push({ ...interruptController, device: controller });
		}
		for (const description of devices) {
			const { name, interrupt } = description;
			let line = NO_LINE;
			if (interrupt === 'external') line = external[0]!;
			else if (interrupt !== undefined) line = controller!.source(interrupt);
			const device = description.create({
				line,
				memory: this.memory,
				console: { write: (byte) => this.#environment.console.write(Uint8Array.of(byte)) },
				inputReady: () => this.#environment.console.ready(),
				now: () => this.#environment.now(),
				timer: { setDeadline: (nanos) => this.#setDeadline(name, nanos) },
			});
			mapped.push({ ...description, device });
		}
		return mapped.sort((a, b) => a.base - b.base);
	}

	#setDeadline(name: string, nanos: number | undefined): void {
		if (nanos === undefined || nanos >= Number.MAX_SAFE_INTEGER) delete this.#deadlines[name];
		else this.#deadlines[name] = nanos;
		this.#environment.timerChanged();
	}
}

const pc = (vcpu: Vcpu): string => vcpu.words[Slot.pc]!.toString(16);
