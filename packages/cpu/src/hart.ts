/**
 * One hart: runs guest code until its instruction limit, until it waits, or until a trap into a mode that is hosted
 * outside. Instructions run in the interpreter; what it leaves to TypeScript is done here.
 */
import { createDecoded, decode, exceptions, expandCompressed, instructions, type Mnemonic } from '@partita/riscv';
import type { DecodedPages } from './interpreter/decoded-pages.ts';
import { opcodes } from './interpreter/opcodes.ts';
import { DecodedPage, ExitCode, Tlb, TRANSLATED, Word } from './layout.ts';
import type { DeviceBus, HartObserver, TimeSource } from './ports.ts';
import { Status } from './privileged/fields.ts';
import {
	checkCacheBlock,
	checkHypervisorAccess,
	executeSystem,
	type FenceKind,
	floatEnabled,
	type GuestAccess,
	markFloatDirty,
	nextTimerChange,
	type PrivilegedHart,
	type PrivilegedPorts,
	pendingInterrupt,
	takeTrap,
	transformInstruction,
	trapTarget,
	updateTimerLines,
	VS_STAGE_READ,
	VS_STAGE_WRITE,
	wakesFromWait,
} from './privileged/index.ts';
import { Slot } from './state.ts';
import type { HartTlb } from './tlb.ts';
import type { AccessMode, AddressTranslation, Located } from './translation.ts';

/** Which privilege modes are software outside the machine: traps into them leave {@link Hart.run}. */
export interface HostedModes {
	readonly machine: boolean;
	/** HS-mode; only with `machine`. */
	readonly supervisor: boolean;
}

/** A trap into a hosted mode; the hart's state is that of the trapping instruction, nothing has been entered. */
export interface TrapExit {
	readonly reason: 'trap';
	/** Exception code, or interrupt code. */
	readonly cause: number;
	readonly interrupt: boolean;
	/** What mtval or stval would be. */
	readonly value: bigint;
	/** For memory accesses; `undefined` otherwise. */
	readonly guest: GuestAccess | undefined;
}

/** Why {@link Hart.run} returned. */
export type Exit =
	/** The limit is reached, or {@link Hart.endRun} was called. */
	| { readonly reason: 'limit' }
	/** The hart waits for an interrupt. */
	| { readonly reason: 'wait' }
	| TrapExit;

/** What the engine gives a hart. */
export interface HartParts {
	readonly id: number;
	/** The hart's words: the running hart's are at address 0. */
	readonly state: () => BigUint64Array;
	readonly interpret: () => number;
	readonly translation: AddressTranslation;
	readonly tlb: HartTlb;
	readonly code: DecodedPages;
	/** Told of a sample of what is interpreted: pc, and linear address of the decoded entry. */
	readonly sample: (pc: bigint, entry: number) => void;
	readonly memory: WebAssembly.Memory;
	readonly bus: DeviceBus;
	readonly time: TimeSource;
	readonly hosted: HostedModes;
	readonly observer: HartObserver;
}

const LIMIT: Exit = { reason: 'limit' };
const WAIT: Exit = { reason: 'wait' };
const INTERRUPT_BIT = 0x8000_0000;
/** Bits 31:20 of CBO.ZERO. */
const CBO_ZERO = 4;

/** How to make the access of an instruction: by mnemonic. */
interface AccessForm {
	readonly bytes: 1 | 2 | 4 | 8;
	readonly signed: boolean;
	readonly float: boolean;
	readonly store: boolean;
}

const LETTERS = { b: 1, h: 2, w: 4, d: 8 } as const;

function accessForm(name: Mnemonic): AccessForm | undefined {
	const plain = /^(f?)([ls])([bhwd])(u?)$/.exec(name) ?? /^()h([ls])vx?\.([bhwd])(u?)$/.exec(name);
	if (!plain) return undefined;
	return {
		bytes: LETTERS[plain[3] as keyof typeof LETTERS],
		signed: plain[4] === '' && plain[1] === '',
		float: plain[1] === 'f',
		store: plain[2] === 's',
	};
}

const accessForms = new Map(instructions.map(({ name }) => [name, accessForm(name)]));

/** A hart. */
export class Hart implements PrivilegedHart {
	readonly id: number;
	readonly ports: PrivilegedPorts;
	readonly guestExternalInterrupts = 0;
	readonly #parts: HartParts;
	readonly #words: Int32Array;
	readonly #view: DataView;
	readonly #decoded = createDecoded();
	#limit = 0;
	#executed = 0;
	#endRun = false;
	#contextDirty = true;
	#floatDirty = true;
	#interruptsDirty = true;
	#timerDirty = true;
	/** Executed count at which a timer line changes. */
	#timerAt = Number.POSITIVE_INFINITY;
	/** One instruction at a time, since its page may not be entered in the execute TLB. */
	#single = false;

	/** @internal */
	constructor(parts: HartParts) {
		this.#parts = parts;
		this.id = parts.id;
		this.#words = new Int32Array(parts.memory.buffer, 0, 512);
		this.#view = new DataView(parts.memory.buffer);
		this.ports = {
			flush: (kind, address, id) => this.#flush(kind, address, id),
			contextChanged: () => {
				this.#contextDirty = true;
			},
			protectionChanged: () => {
				parts.translation.protectionChanged();
				parts.tlb.clear();
				this.#contextDirty = true;
			},
			floatStateChanged: () => {
				this.#floatDirty = true;
			},
			interruptsChanged: () => {
				this.#interruptsDirty = true;
			},
			time: () => parts.time.ticks(this.#executed),
			timerChanged: () => {
				this.#timerDirty = true;
			},
		};
	}

	/** The architectural state, see `Slot`. After a change from outside, call {@link stateChanged}. */
	get state(): BigUint64Array {
		return this.#parts.state();
	}

	/** Instructions of the current or last run that count towards its limit: those that trapped, too. */
	get executed(): number {
		return this.#executed;
	}

	/** Everything that is derived from the state is recomputed before the next instruction. */
	stateChanged(): void {
		this.#contextDirty = true;
		this.#floatDirty = true;
		this.#interruptsDirty = true;
		this.#timerDirty = true;
		this.#parts.translation.protectionChanged();
	}

	/** Drives an interrupt line: bit `line` of mip. */
	setLine(line: number, level: boolean): void {
		const { state } = this;
		const bit = 1n << BigInt(line);
		const before = state[Slot.lines]!;
		const after = level ? before | bit : before & ~bit;
		if (after === before) return;
		state[Slot.lines] = after;
		this.#interruptsDirty = true;
	}

	/** Makes the current run return after the instruction under way. */
	endRun(): void {
		this.#endRun = true;
	}

	/** Whether an interrupt that is enabled is pending, so that a waiting hart would go on. */
	get wakes(): boolean {
		return wakesFromWait(this.state);
	}

	/** When the hart's own timers (Sstc) next change a line; undefined: not before mtime wraps. */
	nextTimer(now: bigint): bigint | undefined {
		return nextTimerChange(this.state, now);
	}

	/** Runs at most `limit` instructions. The hart must be the engine's running hart. */
	run(limit: number): Exit {
		this.#limit = limit;
		this.#executed = 0;
		this.#endRun = false;
		this.#timerDirty = true;
		const { observer } = this.#parts;
		for (;;) {
			if (this.#timerDirty || this.#executed >= this.#timerAt) this.#updateTimer();
			if (this.#interruptsDirty) {
				this.#interruptsDirty = false;
				const cause = pendingInterrupt(this.state);
				if (cause >= 0) {
					const exit = this.#trap(cause, true, 0n, undefined);
					if (exit) return exit;
					continue;
				}
			}
			if (this.state[Slot.waiting] !== 0n) {
				if (!wakesFromWait(this.state)) return WAIT;
				this.state[Slot.waiting] = 0n;
			}
			if (this.#executed >= this.#limit || this.#endRun) return LIMIT;
			if (this.#contextDirty) this.#updateContext();
			if (this.#floatDirty) this.#updateFloat();
			const exit = this.#step(observer);
			if (exit) return exit;
		}
	}

	/** Enters a trap as the hardware would, hosted or not: what a hosted kernel does to reflect one. */
	enterTrap(cause: number, interrupt: boolean, value: bigint, guest?: GuestAccess): void {
		takeTrap(this, cause, interrupt, value, guest);
	}

	/** Goes past the instruction at the pc: what a hosted kernel does after it has emulated one. */
	skip(): void {
		const word = this.fetchWord();
		const length = word === undefined || (word & 3) === 3 ? 4n : 2n;
		this.state[Slot.pc] = BigInt.asUintN(64, this.state[Slot.pc]! + length);
	}

	/** The instruction word at the pc, 16 bits of a compressed one; undefined where it cannot be fetched. */
	fetchWord(): number | undefined {
		const { translation } = this.#parts;
		const pc = this.state[Slot.pc]!;
		const first = translation.locate(pc, 2, 'fetch', translation.fetchMode);
		if (first.kind !== 'memory') return undefined;
		const low = this.#view.getUint16(first.linear, true);
		if ((low & 3) !== 3) return low;
		const second = translation.locate(BigInt.asUintN(64, pc + 2n), 2, 'fetch', translation.fetchMode);
		if (second.kind !== 'memory') return undefined;
		return (low | (this.#view.getUint16(second.linear, true) << 16)) >>> 0;
	}

	#step(observer: HartObserver): Exit | undefined {
		const words = this.#words;
		let budget = Math.min(this.#limit, this.#timerAt) - this.#executed;
		if (this.#single) budget = 1;
		if (observer.instruction) {
			budget = 1;
			const word = this.fetchWord();
			if (word !== undefined) observer.instruction(this.id, this.state[Slot.pc]!, word);
		}
		words[Word.budget >> 2] = budget;
		words[Word.exit >> 2] = 0;
		const code = this.#parts.interpret();
		this.#executed += budget - words[Word.budget >> 2]!;
		if (this.#single && code !== ExitCode.fetch) {
			this.#single = false;
			this.#parts.tlb.clearFetches();
		}
		// The next fetch is looked up before the budget is: it belongs to the next run, and interrupts come first.
		if (words[Word.budget >> 2]! <= 0) return undefined;
		switch (code) {
			case ExitCode.budget:
				return undefined;
			case ExitCode.fetch:
				return this.#fetch();
			case ExitCode.decode: {
				const entry = words[Word.entry >> 2]! >>> 0;
				if (this.#parts.code.isLive(entry)) this.#parts.code.decodeFrom(entry);
				return undefined;
			}
			case ExitCode.sample:
				this.#parts.sample(this.state[Slot.pc]!, words[Word.entry >> 2]! >>> 0);
				return undefined;
			case ExitCode.straddle:
				return this.#fetchStraddling();
			case ExitCode.system:
				return this.#executeSystem();
			case ExitCode.device:
				return this.#accessDevice();
			case ExitCode.trap:
				return this.#memoryTrap();
			default:
				throw new Error(`interpreter returned exit code ${code}`);
		}
	}

	#updateTimer(): void {
		const { time } = this.#parts;
		this.#timerDirty = false;
		updateTimerLines(this);
		const next = nextTimerChange(this.state, time.ticks(this.#executed));
		this.#timerAt = next === undefined ? Number.POSITIVE_INFINITY : time.executedAt(next);
	}

	#updateContext(): void {
		this.#contextDirty = false;
		this.#words[Word.zeroEnabled >> 2] = checkCacheBlock(this.state, CBO_ZERO) === 0 ? 1 : 0;
		this.#parts.translation.updateModes();
	}

	#updateFloat(): void {
		this.#floatDirty = false;
		const { state } = this;
		const enabled = floatEnabled(state);
		const dirtyIn = (status: bigint): boolean => (status & Status.FS) === Status.FS;
		const dirty =
			enabled && dirtyIn(state[Slot.mstatus]!) && (state[Slot.virtual] === 0n || dirtyIn(state[Slot.vsstatus]!));
		this.#words[Word.floatEnabled >> 2] = enabled ? 1 : 0;
		this.#words[Word.floatDirty >> 2] = dirty ? 1 : 0;
		const fcsr = Number(state[Slot.fcsr]);
		const dynamic = (fcsr >> 5) & 7;
		for (let rm = 0; rm < 8; rm++) {
			this.#view.setUint8(Word.roundingMode + rm, rm === 7 ? dynamic : rm);
		}
	}

	/** The pc's page is not in the execute TLB. */
	#fetch(): Exit | undefined {
		const { translation, code, tlb } = this.#parts;
		const pc = this.state[Slot.pc]!;
		const mode = translation.fetchMode;
		const found = translation.locate(pc, 2, 'fetch', mode);
		if (found.kind !== 'memory') return this.#accessTrap(found, pc, mode, undefined);
		const { physical, pageBits } = found.translation;
		const whole = translation.wholePageExecutable(physical, mode);
		if (!whole) {
			// PMP divides the page: check this instruction alone.
			const half = this.#view.getUint16(found.linear, true);
			if ((half & 3) === 3 && (pc & 0xfffn) !== 0xffen) {
				const rest = translation.locate(pc + 2n, 2, 'fetch', mode);
				if (rest.kind !== 'memory') return this.#accessTrap(rest, pc + 2n, mode, undefined);
			}
			this.#single = true;
		}
		const decoded = code.page(Number(physical >> 12n));
		const context = this.#words[Word.fetchContext >> 2]! >> 3;
		tlb.enter(Tlb.execute, pc, context, decoded, pageBits);
		return undefined;
	}

	/** The second half of the instruction at the pc is on a page that is not in the execute TLB, or the line has not got it. */
	#fetchStraddling(): Exit | undefined {
		const { translation, code, tlb } = this.#parts;
		const mode = translation.fetchMode;
		const second = BigInt.asUintN(64, this.state[Slot.pc]! + 2n);
		const found = translation.locate(second, 2, 'fetch', mode);
		if (found.kind !== 'memory') return this.#accessTrap(found, second, mode, undefined);
		const entry = this.#words[Word.entry >> 2]! >>> 0;
		const low = code.wordAt(entry) & 0xffff;
		code.decodeStraddling((low | (this.#view.getUint16(found.linear, true) << 16)) >>> 0);
		const { physical, pageBits } = found.translation;
		if (!translation.wholePageExecutable(physical, mode)) this.#single = true;
		const decoded = code.page(Number(physical >> 12n));
		tlb.enter(Tlb.execute, second, this.#words[Word.fetchContext >> 2]! >> 3, decoded, pageBits);
		return undefined;
	}

	/** The instruction at the pc is one for TypeScript. */
	#executeSystem(): Exit | undefined {
		const word = this.#parts.code.wordAt(this.#words[Word.entry >> 2]! >>> 0);
		const d = this.#decoded;
		if (!decode(word, d)) return this.#illegal(word);
		const { name, extension } = instructions[d.index]!;
		if (extension === 'F' || extension === 'D') return this.#enableFloat(word);
		if (extension === 'Zicbom' || extension === 'Zicboz') return this.#cacheBlock(word);
		const form = accessForms.get(name);
		if (form) return this.#hypervisorAccess(word, form, name.startsWith('hlvx'));
		// c.ebreak is the only compressed one.
		const outcome = executeSystem(this, d.length === 2 ? 0x0010_0073 : word);
		if (typeof outcome === 'object') return this.#trap(outcome.cause, false, outcome.value, undefined);
		if (outcome !== 'jump') this.#advance(d.length);
		if (outcome === 'wait') this.state[Slot.waiting] = 1n;
		this.#retire();
		return undefined;
	}

	/** A floating-point instruction whose preconditions do not hold: it is illegal, or FS becomes Dirty and it runs again. */
	#enableFloat(word: number): Exit | undefined {
		const d = this.#decoded;
		const { format } = instructions[d.index]!;
		if (!floatEnabled(this.state)) return this.#illegal(word);
		if (format.includes('rm')) {
			const mode = d.rm === 7 ? Number(this.state[Slot.fcsr]! >> 5n) & 7 : d.rm;
			if (mode > 4) return this.#illegal(word);
		}
		markFloatDirty(this.state);
		this.#floatDirty = true;
		return undefined;
	}

	#cacheBlock(word: number): Exit | undefined {
		const cause = checkCacheBlock(this.state, word >>> 20);
		if (cause !== 0) return this.#trap(cause, false, BigInt(word >>> 0), undefined);
		const { translation, code } = this.#parts;
		const address = this.state[Slot.x + this.#decoded.rs1]!;
		const zero = word >>> 20 === CBO_ZERO;
		const block = BigInt.asUintN(64, address & ~63n);
		const mode = translation.dataMode;
		// Management operations need what a load or a store needs; caches are coherent, so they do no more.
		let found = translation.locate(block, 64, 'store', mode);
		if (found.kind === 'fault' && !zero) {
			const load = translation.locate(block, 64, 'load', mode);
			if (load.kind !== 'fault') found = load;
		}
		if (found.kind === 'device') found = { kind: 'fault', cause: 7, guestPhysical: undefined, implicit: undefined };
		if (found.kind === 'fault') return this.#accessTrap(found, address, mode, word);
		if (zero) {
			const page = Number(found.translation.physical >> 12n);
			new Uint8Array(this.#view.buffer).fill(0, found.linear, found.linear + 64);
			this.#parts.translation.markWritten(page);
			code.writtenIfCode(page, found.linear & 0xfff, 64);
		}
		this.#advance(4);
		this.#retire();
		return undefined;
	}

	/** HLV, HLVX and HSV. */
	#hypervisorAccess(word: number, form: AccessForm, execute: boolean): Exit | undefined {
		const cause = checkHypervisorAccess(this.state);
		if (cause !== 0) return this.#trap(cause, false, BigInt(word >>> 0), undefined);
		const { translation, code } = this.#parts;
		const d = this.#decoded;
		const address = this.state[Slot.x + d.rs1]!;
		const mode = translation.guestMode;
		const access = form.store ? 'store' : 'load';
		const inPage = Math.min(form.bytes, 4096 - Number(address & 0xfffn));
		const pieces: { linear: number; bytes: number; page: number }[] = [];
		for (let done = 0; done < form.bytes; ) {
			const bytes = done === 0 ? inPage : form.bytes - done;
			const at = BigInt.asUintN(64, address + BigInt(done));
			const found = translation.locate(at, bytes, access, mode, execute);
			if (found.kind === 'device' && bytes === form.bytes && (found.physical & (bytes - 1)) === 0) {
				return this.#completeDevice(found.physical, form, d.rd, this.state[Slot.x + d.rs2]!, 4, address, word, mode);
			}
			if (found.kind !== 'memory') return this.#accessTrap(deviceRefused(found, form.store), at, mode, word);
			pieces.push({ linear: found.linear, bytes, page: Number(found.translation.physical >> 12n) });
			done += bytes;
		}
		let shift = 0n;
		let value = form.store ? this.state[Slot.x + d.rs2]! : 0n;
		for (const { linear, bytes, page } of pieces) {
			for (let i = 0; i < bytes; i++) {
				if (form.store) {
					this.#view.setUint8(linear + i, Number(value & 0xffn));
					value >>= 8n;
				} else value |= BigInt(this.#view.getUint8(linear + i)) << shift;
				shift += 8n;
			}
			if (form.store) {
				translation.markWritten(page);
				code.writtenIfCode(page, linear & 0xfff, bytes);
			}
		}
		if (!form.store) this.#writeResult(d.rd, value, form);
		this.#advance(4);
		this.#retire();
		return undefined;
	}

	/** The load or store at the pc is for a device. */
	#accessDevice(): Exit | undefined {
		const entry = this.#words[Word.entry >> 2]! >>> 0;
		const { mnemonic } = opcodes[this.#view.getUint16(entry + DecodedPage.opcode, true) & ~TRANSLATED]!;
		const form = accessForms.get(mnemonic)!;
		const physical = Number(this.state[Word.physical / 8]);
		const address = this.state[Word.address / 8]!;
		const source = (this.#view.getUint16(entry + DecodedPage.rs2, true) >> 3) + (form.float ? Slot.f : Slot.x);
		const word = this.#parts.code.wordAt(entry);
		decode(word, this.#decoded);
		const { rd, length } = this.#decoded;
		const mode = this.#parts.translation.dataMode;
		return this.#completeDevice(physical, form, rd, this.state[source]!, length, address, word, mode);
	}

	#completeDevice(
		physical: number,
		form: AccessForm,
		rd: number,
		value: bigint,
		length: number,
		address: bigint,
		word: number,
		mode: AccessMode,
	): Exit | undefined {
		const aligned = (physical & (form.bytes - 1)) === 0;
		const window = aligned ? this.#parts.bus.find(physical, form.bytes) : undefined;
		if (!window) {
			const cause = form.store ? 7 : 5;
			return this.#accessTrap(
				{ kind: 'fault', cause, guestPhysical: undefined, implicit: undefined },
				address,
				mode,
				word,
			);
		}
		const offset = physical - window.base;
		const { device } = window;
		// The instruction counts before the device sees it, so that the time it reads is that of its end.
		this.#advance(length);
		this.#retire();
		if (form.store) {
			if (form.bytes === 8) {
				device.write(offset, 4, Number(value & 0xffff_ffffn));
				device.write(offset + 4, 4, Number((value >> 32n) & 0xffff_ffffn));
			} else device.write(offset, form.bytes, Number(BigInt.asUintN(form.bytes * 8, value)));
			return undefined;
		}
		const loaded =
			form.bytes === 8
				? BigInt(device.read(offset, 4) >>> 0) | (BigInt(device.read(offset + 4, 4) >>> 0) << 32n)
				: BigInt.asUintN(form.bytes * 8, BigInt(device.read(offset, form.bytes)));
		this.#writeResult(rd, loaded, form);
		return undefined;
	}

	#writeResult(rd: number, raw: bigint, form: AccessForm): void {
		const { state } = this;
		if (form.float) state[Slot.f + rd] = form.bytes === 4 ? raw | 0xffff_ffff_0000_0000n : raw;
		else if (rd !== 0) {
			const bits = form.bytes * 8;
			state[Slot.x + rd] = form.signed ? BigInt.asUintN(64, BigInt.asIntN(bits, raw)) : raw;
		}
	}

	/** The interpreter's load or store at the pc faulted. */
	#memoryTrap(): Exit | undefined {
		const words = this.#words;
		const implicit = words[Word.implicit >> 2]!;
		const guestPhysical = this.state[Word.guestPhysical / 8]!;
		const word = this.#parts.code.wordAt(words[Word.entry >> 2]! >>> 0);
		const cause = words[Word.cause >> 2]!;
		const guestFault = cause >= exceptions.InstructionGuestPageFault;
		return this.#accessTrap(
			{
				kind: 'fault',
				cause,
				guestPhysical: guestFault ? guestPhysical : undefined,
				implicit: !guestFault || implicit === 0 ? undefined : implicit === 1 ? 'read' : 'write',
			},
			this.state[Word.address / 8]!,
			this.#parts.translation.dataMode,
			word,
		);
	}

	/** A fetch, load or store faulted at `address`. `word` is the instruction, where it was fetched. */
	#accessTrap(
		found: Exclude<Located, { kind: 'memory' }>,
		address: bigint,
		mode: AccessMode,
		word: number | undefined,
	): Exit | undefined {
		if (found.kind === 'device') throw new Error('a device access is no fault');
		const guestFault = found.cause >= exceptions.InstructionGuestPageFault;
		let instruction = 0n;
		if (found.implicit !== undefined) instruction = found.implicit === 'read' ? VS_STAGE_READ : VS_STAGE_WRITE;
		else if (guestFault && word !== undefined) instruction = this.#transformed(word, address);
		return this.#trap(found.cause, false, address, {
			virtualAddress: mode.virtual,
			physicalAddress: guestFault ? (found.guestPhysical ?? 0n) : 0n,
			instruction,
		});
	}

	/** htinst of an explicit access: the instruction expanded, and how far into the access the fault was. */
	#transformed(word: number, address: bigint): bigint {
		const d = this.#decoded;
		decode(word, d);
		const start = BigInt.asUintN(64, this.state[Slot.x + d.rs1]! + BigInt(d.imm));
		const offset = Number(BigInt.asIntN(64, address - start)) & 7;
		const compressed = (word & 3) !== 3;
		return transformInstruction(compressed ? expandCompressed(word) : word, compressed, offset);
	}

	#illegal(word: number): Exit | undefined {
		return this.#trap(exceptions.IllegalInstruction, false, BigInt(word >>> 0), undefined);
	}

	/** Takes a trap, or hands it out where its mode is hosted. */
	#trap(cause: number, interrupt: boolean, value: bigint, guest: GuestAccess | undefined): Exit | undefined {
		const { observer, hosted } = this.#parts;
		const { state } = this;
		// An instruction that traps takes time, though it does not retire: else a handler that traps stops time.
		if (!interrupt) this.#executed++;
		observer.trap?.(
			this.id,
			state[Slot.retired]!,
			state[Slot.pc]!,
			interrupt ? (cause | INTERRUPT_BIT) >>> 0 : cause,
			value,
		);
		const target = trapTarget(state, cause, interrupt);
		if ((target === 'M' && hosted.machine) || (target === 'HS' && hosted.supervisor)) {
			// Offered again when run() is called, unless the kernel has dealt with it.
			if (interrupt) this.#interruptsDirty = true;
			return { reason: 'trap', cause, interrupt, value, guest };
		}
		state[Slot.reservation] = ~0n;
		takeTrap(this, cause, interrupt, value, guest);
		return undefined;
	}

	#advance(length: number): void {
		this.state[Slot.pc] = BigInt.asUintN(64, this.state[Slot.pc]! + BigInt(length));
	}

	#retire(): void {
		this.state[Slot.retired]!++;
		this.#executed++;
	}

	#flush(kind: FenceKind, address: bigint | undefined, id: bigint | undefined): void {
		const { tlb } = this.#parts;
		const vmid = Number((this.state[Slot.hgatp]! >> 44n) & 0x3fffn);
		const asid = id === undefined ? undefined : Number(id);
		if (kind === 'vma') tlb.flush(false, 0, asid, address);
		else if (kind === 'vvma') tlb.flush(true, vmid, asid, address);
		// Entries hold both stages' result: which virtual addresses a guest physical one has is not known.
		else tlb.flushGuests(asid);
		// Of one address, contexts keep their ids.
		if (kind === 'gvma' || address === undefined) this.#contextDirty = true;
	}
}

/** A device cannot take part of an access. */
function deviceRefused(
	found: Exclude<Located, { kind: 'memory' }>,
	store: boolean,
): Exclude<Located, { kind: 'memory' }> {
	if (found.kind === 'fault') return found;
	return { kind: 'fault', cause: store ? 7 : 5, guestPhysical: undefined, implicit: undefined };
}
