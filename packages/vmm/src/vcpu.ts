/**
 * A virtual CPU: the words of a hart that are the guest's, on a hart or parked. Hypervisor extension, "Hypervisor and Virtual
 * Supervisor CSRs".
 *
 * Not here: why it stopped running (virtual-machine.ts), and what is the host's of a hart's state: delegation to HS-mode,
 * PMP, counters. While it is on a hart, the hart's words are the truth.
 */
import { Slot, STATE_WORDS } from '@partita/cpu';
import { csrFields, exceptions } from '@partita/riscv';
import type { SbiFence, SbiHart } from '@partita/sbi';
import type { VcpuHart } from './ports.ts';

const { SIE, SPIE, SPP, FS, SD } = csrFields.mstatus;
const { VSSI: VSSIP, VSTI: VSTIP, VSEI: VSEIP } = csrFields.interruptBits;
const { STCE, PBMTE, CBZE, CBCFE } = csrFields.envcfg;
/** henvcfg.CBIE: cbo.inval flushes. */
const CBIE_FLUSH = 1n << 4n;
const { CY, TM, IR } = csrFields.counterBits;
/** UXL of vsstatus and VSXL of hstatus: 64 bits. */
const XLEN_64 = 2n << 32n;
/** The interrupts that are the guest's own, in hideleg, hvip and hie. */
const VS_INTERRUPTS = VSSIP | VSTIP | VSEIP;
/**
 * Exceptions that the guest handles itself: all that hedeleg can hold. What is left are environment calls from VS-mode,
 * guest-page faults and virtual instructions.
 */
const HEDELEG = 0xb1ffn;
const NEVER = 0xffff_ffff_ffff_ffffn;
const A0 = Slot.x + 10;

/** Slots that are the guest's, first and last plus one. mie and mip are shared with the host, see {@link Vcpu.attach}. */
const GUEST_SLOTS = [
	[Slot.x, Slot.virtual + 1],
	[Slot.fcsr, Slot.fcsr + 1],
	[Slot.scounteren, Slot.senvcfg + 1],
	[Slot.hstatus, Slot.vstimecmp + 1],
] as const;

/** Plain state of a virtual CPU. */
export interface VcpuState {
	/** As a hart's, `STATE_WORDS` of them; those of the host are 0. */
	readonly words: BigUint64Array;
	/** It waits for an interrupt. */
	readonly waiting: boolean;
	/** Its translations must be forgotten before it runs again. */
	readonly stale: boolean;
	/** Times that it was put on a hart. */
	readonly runs: number;
}

/** What a virtual CPU is told at its making. */
export interface VcpuOptions {
	/** Its hart id. */
	readonly id: number;
	/** hgatp: the guest's memory, and its VMID. */
	hgatp(): bigint;
	/** The time, in ticks of the hart's `time`. */
	ticks(): bigint;
	/** It waited, and can go on. */
	wake(): void;
}

const parkedPorts: VcpuHart['ports'] = {
	flush: () => {},
	contextChanged: () => {},
	protectionChanged: () => {},
	floatStateChanged: () => {},
	interruptsChanged: () => {},
	timerChanged: () => {},
};

/** A virtual CPU. */
export class Vcpu implements SbiHart {
	readonly id: number;
	readonly #options: VcpuOptions;
	readonly #parked: VcpuHart;
	#hart: VcpuHart;
	#waiting = false;
	#stale = false;
	#runs = 0;

	constructor(options: VcpuOptions) {
		this.id = options.id;
		this.#options = options;
		this.#parked = { state: new BigUint64Array(STATE_WORDS), ports: parkedPorts };
		this.#hart = this.#parked;
		this.reset(0n, 0n);
	}

	/** Its registers, where they are now. After a change of what a hart derives from them, tell {@link hart}. */
	get words(): BigUint64Array {
		return this.#hart.state;
	}

	/** The hart that it is on; while it is on none, nobody hears. */
	get hart(): VcpuHart {
		return this.#hart;
	}

	/** Whether it is on a hart. */
	get attached(): boolean {
		return this.#hart !== this.#parked;
	}

	/** It waits for an interrupt: it is not to be run. */
	get waiting(): boolean {
		return this.#waiting;
	}

	/** For the SBI, which compares: it has not run since, if this has not changed. */
	get retired(): bigint {
		return BigInt(this.#runs);
	}

	/** A copy of the state. */
	get state(): VcpuState {
		const words = new BigUint64Array(STATE_WORDS);
		this.#copy(this.words, words);
		return { words, waiting: this.#waiting, stale: this.#stale, runs: this.#runs };
	}

	/** Takes a saved state; it is parked then. Throws `RangeError` where it is none. */
	restore({ words, waiting, stale, runs }: VcpuState): void {
		if (!(words instanceof BigUint64Array) || words.length !== STATE_WORDS)
			throw new RangeError('snapshot of a virtual CPU: wrong length');
		this.#hart = this.#parked;
		this.#copy(words, this.words);
		// A guest has no other privilege than these, and reaches no other memory than its own.
		this.words[Slot.virtual] = 1n;
		this.words[Slot.privilege]! &= 1n;
		this.#protect();
		this.#waiting = waiting === true;
		this.#stale = stale === true;
		this.#runs = runs;
	}

	/** Puts it on a hart, which is the running one. */
	attach(hart: VcpuHart): void {
		const { state, ports } = hart;
		if (state[Slot.henvcfg] !== this.words[Slot.henvcfg]) ports.protectionChanged();
		this.#copy(this.#parked.state, state);
		state[Slot.mstatus]! |= FS | SD;
		state[Slot.reservation] = NEVER;
		state[Slot.waiting] = 0n;
		this.#hart = hart;
		this.#runs++;
		ports.contextChanged();
		ports.floatStateChanged();
		ports.interruptsChanged();
		ports.timerChanged();
		if (this.#stale) ports.flush('vvma', undefined, undefined);
		this.#stale = false;
	}

	/** It was on this hart when a snapshot was taken that is being restored: the hart gets its words elsewhere. */
	adopt(hart: VcpuHart): void {
		this.#hart = hart;
	}

	/** Takes it off its hart. */
	detach(): void {
		if (!this.attached) return;
		const { state } = this.#hart;
		this.#hart = this.#parked;
		this.#copy(state, this.#parked.state);
	}

	/** Whether an interrupt that the guest enables is pending, so that WFI completes. */
	get wakes(): boolean {
		const { words } = this;
		let pending = words[Slot.mip]!;
		if (this.#timerPending()) pending |= VSTIP;
		return (pending & words[Slot.mie]! & VS_INTERRUPTS) !== 0n;
	}

	/** The tick at which its timer ends its waiting; undefined: it does not. */
	get wakeTick(): bigint | undefined {
		const { words } = this;
		if (!this.#waiting || (words[Slot.mie]! & VSTIP) === 0n) return undefined;
		const compare = words[Slot.vstimecmp]!;
		if (compare === NEVER) return undefined;
		const tick = BigInt.asUintN(64, compare - words[Slot.htimedelta]!);
		const now = this.#options.ticks();
		return tick > now || this.#timerPending() ? tick : undefined;
	}

	/** WFI. @returns whether it waits */
	waitForInterrupt(): boolean {
		this.#waiting = !this.wakes;
		return this.#waiting;
	}

	/** Ends its waiting where an interrupt is pending. */
	checkWake(): void {
		if (!this.#waiting || !this.wakes) return;
		this.#waiting = false;
		this.#options.wake();
	}

	/** Its supervisor external interrupt. */
	setExternal(level: boolean): void {
		const { state, ports } = this.#hart;
		const before = state[Slot.mip]!;
		const after = level ? before | VSEIP : before & ~VSEIP;
		if (after === before) return;
		state[Slot.mip] = after;
		ports.interruptsChanged();
		this.checkWake();
	}

	/** Enters an exception in VS-mode, as hardware without the hypervisor extension would. */
	raise(cause: number, value: bigint): void {
		const { state, ports } = this.#hart;
		const status = state[Slot.vsstatus]!;
		const enable = status & SIE;
		// SIE is bit 1, SPIE bit 5; SPP is bit 8.
		state[Slot.vsstatus] = (status & ~(SIE | SPIE | SPP)) | (enable << 4n) | (state[Slot.privilege]! << 8n);
		state[Slot.vsepc] = state[Slot.pc]!;
		state[Slot.vscause] = BigInt(cause);
		state[Slot.vstval] = value;
		state[Slot.pc] = state[Slot.vstvec]! & ~3n;
		state[Slot.privilege] = 1n;
		state[Slot.reservation] = NEVER;
		ports.contextChanged();
		ports.interruptsChanged();
	}

	/** Whether an instruction access fault at `value` would be raised for ever: its handler is what cannot be fetched. */
	faultsForEver(cause: number, value: bigint): boolean {
		return cause === exceptions.InstructionAccessFault && value === (this.words[Slot.vstvec]! & ~3n);
	}

	/** Goes behind the instruction at the pc. */
	skip(bytes: number): void {
		this.words[Slot.pc] = BigInt.asUintN(64, this.words[Slot.pc]! + BigInt(bytes));
	}

	/** The result of a load into a floating-point register: the guest's state is dirty then. */
	loadFloat(register: number, value: bigint): void {
		this.words[Slot.f + register] = value;
		this.words[Slot.vsstatus]! |= FS | SD;
		this.#hart.ports.floatStateChanged();
	}

	/** Its memory is shown by other tables: `hgatp` has changed. */
	memoryChanged(): void {
		this.words[Slot.hgatp] = this.#options.hgatp();
		this.#hart.ports.contextChanged();
	}

	/** SBI: the timer is vstimecmp. */
	setTimer(time: bigint): void {
		this.words[Slot.vstimecmp] = time;
		this.#hart.ports.timerChanged();
	}

	/** SBI: an interprocessor interrupt. */
	raiseSoftware(): void {
		this.words[Slot.mip]! |= VSSIP;
		this.#hart.ports.interruptsChanged();
		this.checkWake();
	}

	/** SBI: withdraws it. */
	clearSoftware(): boolean {
		const pending = (this.words[Slot.mip]! & VSSIP) !== 0n;
		this.words[Slot.mip]! &= ~VSSIP;
		this.#hart.ports.interruptsChanged();
		return pending;
	}

	/** SBI: a fence, of the first stage: the guest has no hypervisor extension. Where it is on a hart, on that one. */
	fence({ address, id }: SbiFence): void {
		if (this.attached) this.#hart.ports.flush('vvma', address, id);
		else this.#stale = true;
	}

	/** SBI: it starts. */
	start(pc: bigint, opaque: bigint): void {
		this.reset(pc, opaque);
		this.#options.wake();
	}

	/** The registers of a hart that starts: "HSM Hart Start Register State"; what else there is, is as after a reset. */
	reset(pc: bigint, opaque: bigint): void {
		const { state, ports } = this.#hart;
		const timeDelta = state[Slot.htimedelta]!;
		for (const [first, end] of GUEST_SLOTS) state.fill(0n, first, end);
		state[Slot.mie]! &= ~VS_INTERRUPTS;
		// The lines of controllers stay.
		state[Slot.mip]! &= ~VSSIP;
		state[Slot.pc] = pc;
		state[A0] = BigInt(this.id);
		state[A0 + 1] = opaque;
		state[Slot.privilege] = 1n;
		state[Slot.virtual] = 1n;
		state[Slot.vsstatus] = XLEN_64;
		state[Slot.vstimecmp] = NEVER;
		state[Slot.htimedelta] = timeDelta;
		// As firmware leaves it: user mode reads the counters that the guest may read. Linux relies on it for its vDSO.
		state[Slot.scounteren] = CY | TM | IR;
		this.#protect();
		this.#waiting = false;
		this.#stale = true;
		ports.contextChanged();
		ports.floatStateChanged();
		ports.interruptsChanged();
		ports.timerChanged();
	}

	/** SBI: it waits for an interrupt; `resume`: as hart without translation, and with interrupts off. */
	suspend(resume: { readonly pc: bigint; readonly opaque: bigint } | undefined): void {
		if (resume) {
			const { words } = this;
			words[Slot.vsatp] = 0n;
			words[Slot.vsstatus]! &= ~SIE;
			words[Slot.pc] = resume.pc;
			words[A0] = BigInt(this.id);
			words[A0 + 1] = resume.opaque;
			this.#hart.ports.contextChanged();
			this.#hart.ports.interruptsChanged();
		}
		this.waitForInterrupt();
	}

	#timerPending(): boolean {
		const { words } = this;
		return BigInt.asUintN(64, this.#options.ticks() + words[Slot.htimedelta]!) >= words[Slot.vstimecmp]!;
	}

	/** What keeps the guest in its place. */
	#protect(): void {
		const { words } = this;
		// WFI traps, so that another can run meanwhile.
		words[Slot.hstatus] = XLEN_64 | csrFields.hstatus.VTW;
		words[Slot.hedeleg] = HEDELEG;
		words[Slot.hideleg] = VS_INTERRUPTS;
		// Cycles and instructions are the hart's, and would tell of others.
		words[Slot.hcounteren] = TM;
		words[Slot.henvcfg] = STCE | PBMTE | CBZE | CBCFE | CBIE_FLUSH;
		words[Slot.hgatp] = this.#options.hgatp();
		words[Slot.hgeie] = 0n;
		words[Slot.hgeip] = 0n;
	}

	#copy(from: BigUint64Array, to: BigUint64Array): void {
		for (const [first, end] of GUEST_SLOTS) to.set(from.subarray(first, end), first);
		to[Slot.mie] = (to[Slot.mie]! & ~VS_INTERRUPTS) | (from[Slot.mie]! & VS_INTERRUPTS);
		to[Slot.mip] = (to[Slot.mip]! & ~VS_INTERRUPTS) | (from[Slot.mip]! & VS_INTERRUPTS);
	}
}
