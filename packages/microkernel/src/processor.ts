/**
 * One hart as threads use it: puts a thread's registers on it and takes them off, a guest's too. Floating-point registers
 * are moved only where somebody has used them, as sstatus.FS tells; nobody ever sees another's. Not here: whose turn it is.
 */
import { type Hart, resetState, Slot } from '@partita/cpu';
import { csrFields } from '@partita/riscv';
import type { VcpuRegisters } from './component.ts';
import { FCSR, PC, type Thread, type ThreadId } from './thread.ts';

/** FS in the low half of mstatus. */
const FS_MASK = 0x6000;
const FS_CLEAN = 0x4000;
const NEVER = 0xffff_ffff_ffff_ffffn;
const FLOATS = 32;
/** seL4_TCBFlag_fpuDisabled. */
const FPU_DISABLED = 1;

/** Every exception leaves M-mode; hedeleg then says what a guest handles itself. */
const MEDELEG = 0xf0_b7ffn;
/** What a guest handles itself: all but environment calls from VS-mode, guest-page faults and virtual instructions. */
const HEDELEG = 0xb1ffn;
const { SSI, STI, SEI, VSSI, VSTI, VSEI } = csrFields.interruptBits;
const VS_INTERRUPTS = VSSI | VSTI | VSEI;
const { STCE, PBMTE, CBZE, CBCFE } = csrFields.envcfg;
/** CBIE: cbo.inval flushes. */
const CBIE_FLUSH = 1n << 4n;
/** hstatus of a guest: VSXL is 64 bits, and WFI traps. */
const HSTATUS = (2n << 32n) | csrFields.hstatus.VTW;
/** PMP entry 0: NAPOT over the whole physical address space, readable, writable, executable: page tables protect. */
const PMP_EVERYTHING = csrFields.pmpcfg.R | csrFields.pmpcfg.W | csrFields.pmpcfg.X | csrFields.pmpcfg.A;
const PMP_ADDRESS = (1n << 54n) - 1n;

/** State of a {@link Processor}. Plain data. */
export interface ProcessorState {
	/** Whose floating-point registers the hart holds; -1: everybody's are zero. */
	readonly floatHolder: ThreadId;
	/** Whether the registers on the hart are a guest's. */
	readonly guest: boolean;
}

/** What a switch had to do. */
export interface SwitchWork {
	addressSpace: boolean;
	float: boolean;
}

/** See the file's head. */
export class Processor {
	readonly hart: Hart;
	#words: BigUint64Array | undefined;
	#registers: BigUint64Array = new BigUint64Array(0);
	#floats: BigUint64Array = new BigUint64Array(0);
	#halves: Uint32Array = new Uint32Array(0);
	#floatHolder: ThreadId = -1;
	#guest = false;
	readonly #work: SwitchWork = { addressSpace: false, float: false };

	constructor(hart: Hart) {
		this.hart = hart;
	}

	/** Prepares the hart, as it comes out of reset. */
	initialise(): void {
		const { state, ports } = this.hart;
		resetState(state, this.hart.id);
		state[Slot.medeleg] = MEDELEG;
		state[Slot.mideleg]! |= SSI | STI | SEI;
		state[Slot.mcounteren] = 0xffff_ffffn;
		state[Slot.menvcfg] = STCE | PBMTE | CBZE | CBCFE | CBIE_FLUSH;
		state[Slot.pmpcfg] = PMP_EVERYTHING;
		state[Slot.pmpaddr] = PMP_ADDRESS;
		this.#userMode();
		ports.protectionChanged();
		this.hart.stateChanged();
	}

	/** U-mode without a guest: no interrupts but the kernel's, time and counters readable. */
	#userMode(): void {
		const { state, ports } = this.hart;
		state[Slot.privilege] = 0n;
		state[Slot.virtual] = 0n;
		state[Slot.mie] = 0n;
		state[Slot.vstimecmp] = NEVER;
		state[Slot.scounteren] = 7n;
		state[Slot.senvcfg] = CBZE | CBCFE;
		ports.contextChanged();
		ports.interruptsChanged();
		ports.timerChanged();
	}

	get state(): ProcessorState {
		return { floatHolder: this.#floatHolder, guest: this.#guest };
	}

	restore({ floatHolder, guest }: ProcessorState): void {
		this.#floatHolder = floatHolder;
		this.#guest = guest;
		this.#words = undefined;
	}

	/** The hart's words: those of the thread that is on it. */
	get words(): BigUint64Array {
		return this.hart.state;
	}

	/** The hart's words as halves, low ones first. */
	get halves(): Uint32Array {
		this.#views();
		return this.#halves;
	}

	/** Takes a program off the hart. */
	save(thread: Thread): void {
		this.#views();
		const { words } = thread;
		words.set(this.#registers);
		words[PC] = this.#words![Slot.pc]!;
		this.saveFloats(thread);
	}

	/** Brings a program's parked floating-point registers up to date, while it stays on the hart. */
	saveFloats(thread: Thread): void {
		this.#views();
		if ((this.#halves[2 * Slot.mstatus]! & FS_MASK) !== FS_MASK) return;
		thread.words.set(this.#floats, Slot.f);
		thread.words[FCSR] = this.#words![Slot.fcsr]!;
		thread.floatUsed = true;
		this.#floatHolder = thread.id;
	}

	/** Puts a program on the hart, after another thread was taken off. */
	load(thread: Thread, satp: bigint): Readonly<SwitchWork> {
		this.#views();
		const { ports } = this.hart;
		const { words } = thread;
		const state = this.#words!;
		const halves = this.#halves;
		const work = this.#work;
		if (this.#guest) {
			this.#guest = false;
			this.#userMode();
		}
		for (let register = 1; register < 32; register++) {
			halves[2 * register] = thread.halves[2 * register]!;
			halves[2 * register + 1] = thread.halves[2 * register + 1]!;
		}
		state[Slot.pc] = words[PC]!;
		state[Slot.reservation] = NEVER;
		work.float = false;
		const status = halves[2 * Slot.mstatus]!;
		let fields = 0;
		if ((thread.flags & FPU_DISABLED) === 0) {
			fields = FS_CLEAN;
			if (this.#floatHolder !== thread.id && (thread.floatUsed || this.#floatHolder >= 0)) {
				this.#floats.set(words.subarray(Slot.f, Slot.f + FLOATS));
				if (state[Slot.fcsr] !== words[FCSR]) {
					state[Slot.fcsr] = words[FCSR]!;
					ports.floatStateChanged();
				}
				this.#floatHolder = thread.id;
				work.float = true;
			}
		}
		if ((status & FS_MASK) !== fields) {
			halves[2 * Slot.mstatus] = (status & ~FS_MASK) | fields;
			halves[2 * Slot.mstatus + 1]! &= 0x7fff_ffff;
			ports.floatStateChanged();
		}
		work.addressSpace = this.setSpace(satp);
		return work;
	}

	/** Changes the address space of the program on the hart. @returns whether it was another */
	setSpace(satp: bigint): boolean {
		const { state, ports } = this.hart;
		if (state[Slot.satp] === satp) return false;
		state[Slot.satp] = satp;
		ports.contextChanged();
		return true;
	}

	/** A thread is gone, or its parked floating-point registers were changed: the hart's are not its any more. */
	forgetFloats(thread: ThreadId): void {
		// Nobody's: whoever comes next gets its own.
		if (this.#floatHolder === thread) this.#floatHolder = Number.MAX_SAFE_INTEGER;
	}

	/** Puts a guest on the hart, and keeps it in its place: nothing of this is the monitor's to say. */
	loadGuest(thread: ThreadId, registers: VcpuRegisters, hgatp: bigint): void {
		registers.attach(this.hart);
		const { state, ports } = this.hart;
		state[Slot.virtual] = 1n;
		state[Slot.privilege]! &= 1n;
		state[Slot.hgatp] = hgatp;
		state[Slot.hstatus] = HSTATUS;
		state[Slot.hedeleg] = HEDELEG;
		state[Slot.hideleg] = VS_INTERRUPTS;
		state[Slot.hcounteren] = csrFields.counterBits.TM;
		state[Slot.henvcfg] = STCE | PBMTE | CBZE | CBCFE | CBIE_FLUSH;
		state[Slot.hgeie] = 0n;
		state[Slot.hgeip] = 0n;
		state[Slot.mie]! &= VS_INTERRUPTS;
		ports.contextChanged();
		ports.interruptsChanged();
		this.#guest = true;
		this.#floatHolder = thread;
	}

	/** Views of the hart's words, which are in one of two places. */
	#views(): void {
		const words = this.hart.state;
		if (words === this.#words) return;
		this.#words = words;
		this.#registers = words.subarray(0, 32);
		this.#floats = words.subarray(Slot.f, Slot.f + FLOATS);
		this.#halves = new Uint32Array(words.buffer, words.byteOffset, words.length * 2);
	}
}
