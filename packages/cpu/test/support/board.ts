/**
 * The memory map that the generated programs run on, part of QEMU's `virt`, and a small machine with it around an
 * {@link Engine}: RAM, the CLINT's software interrupt and a test finisher. It is not the project's board.
 */

import { AddressMap, PhysicalMemory } from '@partita/memory';
import {
	createLinearLayout,
	Engine,
	type EngineKind,
	type Exit,
	type Hart,
	type HartObserver,
	Slot,
} from '../../src/index.ts';

/** Start of RAM, where both machines start. */
export const RAM = 0x8000_0000;
/** Bytes of RAM. */
export const RAM_BYTES = 0x400_0000;
/** Test finisher: a store of 0x5555 ends the run. */
export const FINISHER = 0x10_0000;
/** CLINT: msip of hart 0 at offset 0, mtimecmp at 0x4000, mtime at 0xbff8. */
export const CLINT = 0x200_0000;
/** Nothing is here, on either machine. */
export const NOWHERE = 0x0900_0000;

/** A machine of one hart, which starts in M-mode at {@link RAM}. */
export class TestBoard {
	readonly memory: PhysicalMemory;
	readonly engine: Engine;
	readonly hart: Hart;
	/** Instructions run so far. */
	retired = 0;
	/** What the program wrote to the finisher. */
	finished: number | undefined;

	constructor(observer: HartObserver = {}, engine: EngineKind = 'default') {
		const layout = createLinearLayout({ harts: 1, physicalTop: RAM + RAM_BYTES, poolBytes: RAM_BYTES });
		this.memory = new PhysicalMemory(layout);
		this.memory.addRegion(RAM, RAM_BYTES);
		const bus = new AddressMap();
		bus.add({
			name: 'finisher',
			base: FINISHER,
			size: 0x1000,
			device: {
				read: () => 0,
				write: (_offset, _size, value) => {
					if ((value & 0xffff) !== 0x5555) return;
					this.finished = value;
					this.hart.endRun();
				},
			},
		});
		let msip = 0;
		const compare = new Uint32Array([0xffff_ffff, 0xffff_ffff]);
		bus.add({
			name: 'clint',
			base: CLINT,
			size: 0x1_0000,
			device: {
				read: (offset) =>
					offset === 0 ? msip : offset === 0x4000 || offset === 0x4004 ? compare[(offset >> 2) & 1]! : 0,
				write: (offset, _size, value) => {
					if (offset === 0) {
						msip = value & 1;
						this.hart.setLine(3, msip !== 0);
						this.hart.endRun();
					} else if (offset === 0x4000 || offset === 0x4004) compare[(offset >> 2) & 1] = value;
				},
			},
		});
		const base = (): number => this.retired;
		this.engine = new Engine({
			layout,
			memory: this.memory,
			bus,
			time: {
				// A hundred instructions a tick.
				ticks: (executed) => BigInt(Math.floor((base() + executed) / 100)),
				executedAt: (ticks) => Number(ticks) * 100 - base(),
			},
			observer,
			engine,
		});
		this.hart = this.engine.harts[0]!;
		this.hart.state[Slot.pc] = BigInt(RAM);
	}

	/** Runs until the finisher is written, the hart waits for ever, or `limit` instructions have run. */
	run(limit: number): 'finished' | 'waiting' | 'limit' {
		const end = this.retired + limit;
		while (this.finished === undefined && this.retired < end) {
			const exit: Exit = this.hart.run(Math.min(1_000_000, end - this.retired));
			this.retired += this.hart.executed;
			if (exit.reason === 'wait') return 'waiting';
			if (exit.reason === 'trap') throw new Error('no mode is hosted');
		}
		return this.finished === undefined ? 'limit' : 'finished';
	}
}
