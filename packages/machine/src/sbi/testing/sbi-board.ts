/**
 * A board for the SBI's tests: harts, 1 MiB of RAM, a page of ROM with one of RAM below it, a console; no controllers. Runs its harts in turn.
 */
import { createLinearLayout, Engine, type Hart, Slot } from '@partita/cpu';
import { AddressMap, PhysicalMemory } from '@partita/memory';
import { asm, assemble } from '@partita/riscv';
import type { ResetType } from '@partita/sbi';
import { A0 } from '../entry.ts';
import { Sbi } from '../index.ts';

export const RAM = 0x8000_0000;
export const RAM_BYTES = 0x10_0000;
export const ROM = 0x3000;
/** A page of RAM just below it. */
export const RAM_BELOW_ROM = 0x2000;
/** Where {@link SbiBoard.call} keeps its ECALL. */
const CALL_SITE = BigInt(RAM + RAM_BYTES - 0x1000);
const SLICE = 100;
const MOST_TURNS = 10_000;

/** A board with its SBI. */
export class SbiBoard {
	readonly sbi: Sbi;
	readonly harts: readonly Hart[];
	readonly memory: PhysicalMemory;
	readonly engine: Engine;
	output = '';
	input = '';
	resets: [ResetType, boolean][] = [];
	/** mtime: one tick an instruction. */
	now = 0;

	constructor(harts = 1) {
		const layout = createLinearLayout({
			harts,
			physicalTop: RAM + RAM_BYTES,
			poolBytes: RAM_BYTES + 0x2000,
			codePages: 64,
		});
		this.memory = new PhysicalMemory(layout);
		this.memory.addRegion(RAM, RAM_BYTES);
		this.memory.addRegion(RAM_BELOW_ROM, 0x1000);
		this.memory.addRegion(ROM, 0x1000, true);
		this.engine = new Engine({
			layout,
			memory: this.memory,
			bus: new AddressMap(),
			time: {
				ticks: (executed) => BigInt(this.now + executed),
				executedAt: (ticks) => Number(ticks) - this.now,
			},
			hosted: { machine: true, supervisor: false },
		});
		this.harts = this.engine.harts;
		this.sbi = new Sbi({
			harts: this.harts,
			memory: this.memory,
			console: {
				write: (bytes) => {
					this.output += String.fromCharCode(...bytes);
				},
				read: (max) => {
					const taken = this.input.slice(0, max);
					this.input = this.input.slice(max);
					return Uint8Array.from(taken, (character) => character.charCodeAt(0));
				},
			},
			reset: (type, failure) => this.resets.push([type, failure]),
		});
		const { bytes } = asm`ecall`;
		this.memory.load(Number(CALL_SITE), bytes);
		this.sbi.initialise(0, BigInt(RAM), 0n);
	}

	/** Assembles and loads a program at the start of RAM, and starts hart 0 there. */
	start(source: string, opaque = 0n): ReadonlyMap<string, bigint> {
		const { bytes, symbols } = assemble(source, { base: BigInt(RAM) });
		this.memory.load(RAM, bytes);
		this.sbi.initialise(0, BigInt(RAM), opaque);
		return symbols;
	}

	/** Runs all harts until a reset, or until `done`. Throws where neither comes. */
	run(done: () => boolean = () => false): void {
		for (let turn = 0; turn < MOST_TURNS; turn++) {
			let waiting = true;
			for (const { id } of this.harts) {
				if (this.resets.length > 0 || done()) return;
				if (!this.sbi.isRunning(id)) continue;
				const hart = this.engine.select(id);
				const exit = hart.run(SLICE);
				this.now += hart.executed;
				if (exit.reason !== 'wait') waiting = false;
				if (exit.reason === 'trap') this.sbi.handleTrap(id, exit);
			}
			if (waiting) this.#skipToTimer();
		}
		throw new Error('the program does not end');
	}

	/** Makes one call on a hart that is running, over a real ECALL. Where it does not return, undefined. */
	call(extension: number, id: number, args: readonly bigint[], hart = 0): readonly [bigint, bigint] | undefined {
		const { state } = this.harts[hart]!;
		for (let i = 0; i < 6; i++) state[A0 + i] = args[i] ?? 0xdead_0000_0000n + BigInt(i);
		state[A0 + 6] = BigInt(id);
		state[A0 + 7] = BigInt(extension);
		state[Slot.pc] = CALL_SITE;
		const before = state.slice();
		const running = this.engine.select(hart);
		const exit = running.run(1);
		if (exit.reason !== 'trap') throw new Error(`expected a trap, got ${exit.reason}`);
		this.sbi.handleTrap(hart, exit);
		const after = running.state;
		if (!this.sbi.isRunning(hart) || this.resets.length > 0) return undefined;
		if (after[Slot.pc] !== CALL_SITE + 4n) return undefined;
		for (let register = 1; register < 32; register++) {
			if (register !== 10 && register !== 11 && after[register] !== before[register])
				throw new Error(`x${register} was not preserved`);
		}
		return [BigInt.asIntN(64, after[A0]!), after[A0 + 1]!];
	}

	#skipToTimer(): void {
		const times = this.harts.flatMap((hart) =>
			this.sbi.isRunning(hart.id) ? (hart.nextTimer(BigInt(this.now)) ?? []) : [],
		);
		if (times.length === 0 || this.harts.some((hart) => this.sbi.isRunning(hart.id) && hart.wakes)) return;
		this.now = Number(times.reduce((least, time) => (time < least ? time : least)));
	}
}
