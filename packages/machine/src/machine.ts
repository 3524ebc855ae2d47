/**
 * A machine: harts, memory, devices and virtual time, wired into a QEMU-`virt`-compatible board, and the loop that runs
 * it. Nothing here reads a wall clock: outside input enters through {@link Machine.receive} and the device back ends.
 *
 * Time: all harts of a machine run at the same time. They take turns of at most {@link TURN} instructions over the same
 * interval of virtual time; what one has seen of time, no other sees undone (`mtime` never goes back).
 */
import { EventQueue, type EventQueueState, VirtualClock, type VirtualClockState } from '@partita/clock';
import {
	createLinearLayout,
	Engine,
	type EngineKind,
	type EngineState,
	type Exit,
	type Hart,
	type HartObserver,
	Slot,
	type TranslatorStats,
} from '@partita/cpu';
import {
	type BlockBackend,
	type DeviceObserver,
	Finisher,
	GoldfishRtc,
	Htif,
	type NetBackend,
	Ns16550a,
	SeededBytes,
	UART_LCR,
	UART_LSR,
	UART_RBR_THR_DLL,
	VirtioBlk,
	VirtioConsole,
	type VirtioDevice,
	VirtioEntropy,
	VirtioMmio,
	VirtioNet,
} from '@partita/devices';
import { Aclint, type InterruptLine, Plic } from '@partita/intc';
import { AddressMap, PhysicalMemory, type PhysicalMemoryState } from '@partita/memory';
import { TraceHash, type TraceHashState } from '@partita/trace';
import { type BootImages, type BootLayout, placeBoot } from './boot.ts';
import { MachineError } from './errors.ts';
import type { Ending, HostedKernel, HostedKernelFactory, KernelBoard } from './hosted-kernel.ts';
import { InterruptNumber, MemoryMap, TICK_NANOS, VIRTIO_SLOTS } from './memory-map.ts';
import { Sbi } from './sbi/index.ts';
import type { SnapshotMachine } from './snapshot.ts';

/** Instructions that a hart runs before it is the next one's turn, where there are several. */
export const TURN = 10_000;
/** Instructions between two checkpoints of the trace hash: 2^20. */
export const CHECKPOINT = 0x10_0000;
/** Instructions between two looks at HTIF's words, which are plain memory. */
const HTIF_POLL = 4096;

/** A virtio device of the board, in the slot of its place in the list. */
export type VirtioDescription =
	| { readonly kind: 'block'; readonly backend: BlockBackend; readonly id?: string }
	| { readonly kind: 'net'; readonly backend: NetBackend; readonly mac: Uint8Array }
	| {
			readonly kind: 'console';
			/** Takes what the guest prints. */
			readonly write: (byte: number) => void;
	  }
	| { readonly kind: 'entropy' };

/** What a machine is made of. */
export interface MachineOptions {
	/** 1 to 8; default 1. */
	readonly harts?: number;
	/** Bytes of RAM, a multiple of 4 KiB; default 128 MiB. */
	readonly memory?: number;
	/** What boots; for a machine with a kernel of its own, nothing. */
	readonly images?: BootImages;
	/** Privileged software in TypeScript, in place of images. */
	readonly kernel?: HostedKernelFactory;
	/** Addresses of HTIF's words; default: where the symbols tohost and fromhost of the images are. */
	readonly htif?: { readonly tohost: number; readonly fromhost?: number };
	/** At most eight. */
	readonly virtio?: readonly VirtioDescription[];
	/** Takes what the guest's UART, SBI console and HTIF print. */
	readonly console?: (byte: number) => void;
	/** What the real-time clock shows at virtual time 0: nanoseconds since 1970; default 0. */
	readonly wallClock?: bigint;
	/** Seeds the entropy device and the devicetree's `rng-seed`; the same seed gives the same run. Default 1. */
	readonly seed?: number;
	/** Keeps the trace hash, which costs time. */
	readonly traceHash?: boolean;
	/** What executes instructions; default `default`: an interpreter, and a translator for what is hot. Guests cannot tell. */
	readonly engine?: EngineKind;
	readonly observer?: HartObserver;
	readonly deviceObserver?: DeviceObserver;
}

/** Why {@link Machine.run} returned. */
export type RunResult =
	/** The number of instructions was executed. */
	| { readonly reason: 'limit' }
	/**
	 * Every hart waits. `next`: the virtual time, beyond the run's `idleUntil`, at which a timer is armed; undefined where
	 * none is: only input from outside can wake the guest.
	 */
	| { readonly reason: 'idle'; readonly next: number | undefined }
	/** A device waits for its back end: go on when it has answered. */
	| { readonly reason: 'stopped' }
	| ({ readonly reason: 'ended' } & { readonly ending: Ending });

/** How {@link Machine.run} runs. */
export interface RunOptions {
	/**
	 * While every hart waits, time passes at once up to this virtual time and no further: a run that follows real time
	 * sleeps instead. By default it passes up to whatever is armed next.
	 */
	readonly idleUntil?: number;
}

/** Plain state of a machine: with the options that it was made with, everything that its future depends on. */
export interface MachineState {
	readonly clock: VirtualClockState;
	readonly events: EventQueueState;
	readonly executed: number;
	readonly timeFloor: number;
	readonly engine: EngineState;
	readonly memory: PhysicalMemoryState;
	readonly aclint: Aclint['state'];
	readonly plic: Plic['state'];
	readonly uart: Ns16550a['state'];
	readonly rtc: GoldfishRtc['state'];
	readonly finisher: Finisher['state'];
	readonly htif: Htif['state'] | undefined;
	/** State of the hosted kernel: of the built-in SBI, or of the machine's own. */
	readonly kernel: unknown;
	readonly virtio: readonly VirtioState[];
	readonly hash: TraceHashState | undefined;
	readonly ending: Ending | undefined;
}

/** State of a virtio window and of the device behind it. */
export interface VirtioState {
	readonly transport: VirtioMmio['state'];
	readonly device: unknown;
}

/** A virtio device, and whatever of it has state. */
interface VirtioPart {
	readonly model: VirtioDevice;
	readonly stateful: { readonly state: unknown; restore(state: never): void };
}

/** Bits of the UART's line control and line status registers. */
const LCR_DLAB = 0x80;
const LSR_DATA_READY = 0x01;

const DEFAULT_MEMORY = 128 * 1024 * 1024;
const MIP_MSIP = 3;
const MIP_MTIP = 7;
const MIP_SEIP = 9;
const MIP_MEIP = 11;

/** A QEMU-`virt`-compatible machine. */
export class Machine {
	readonly harts: readonly Hart[];
	readonly memory: PhysicalMemory;
	readonly bus: AddressMap;
	/** Where the images are. */
	readonly boot: BootLayout;
	/** What a snapshot of it must be loaded into. */
	readonly description: SnapshotMachine;
	readonly #engine: Engine;
	readonly #clock = new VirtualClock();
	readonly #events = new EventQueue();
	readonly #aclint: Aclint;
	readonly #plic: Plic;
	readonly #uart: Ns16550a;
	readonly #rtc: GoldfishRtc;
	readonly #finisher: Finisher;
	readonly #htif: Htif | undefined;
	readonly #kernel: HostedKernel | undefined;
	readonly #virtio: { readonly transport: VirtioMmio; readonly device: VirtioPart | undefined }[] = [];
	readonly #hash: TraceHash | undefined;
	/** Hart that is running, and what was executed in its turn before its current run. */
	#turn: Hart | undefined;
	#inTurn = false;
	#turnDone = 0;
	/** Latest time that anybody has seen. */
	#timeFloor = 0;
	/** Instructions of all turns so far. */
	#executed = 0;
	#ending: Ending | undefined;
	#stopRequested = false;

	constructor(options: MachineOptions) {
		const harts = options.harts ?? 1;
		const ram = options.memory ?? DEFAULT_MEMORY;
		if (!Number.isSafeInteger(ram) || ram < 4096 || ram % 4096 !== 0 || ram > 64 * 2 ** 30)
			throw new MachineError(`memory: ${ram} bytes: 4 KiB to 64 GiB in whole pages are possible`);
		if (!Number.isInteger(harts) || harts < 1 || harts > 8)
			throw new MachineError(`harts: ${harts}: 1 to 8 are possible`);
		const top = MemoryMap.ram.base + ram;
		const layout = createLinearLayout({ harts, physicalTop: top, poolBytes: ram + MemoryMap.rom.size });
		this.memory = new PhysicalMemory(layout);
		this.memory.addRegion(MemoryMap.ram.base, ram);
		this.memory.addRegion(MemoryMap.rom.base, MemoryMap.rom.size, true);
		this.bus = new AddressMap();
		this.#hash = options.traceHash ? new TraceHash() : undefined;
		const factory = options.kernel ?? (options.images?.firmware === 'builtin' ? builtinSbi : undefined);
		const hosted = factory?.hosted ?? { machine: false, supervisor: false };
		const builtin = hosted.machine;
		this.#engine = new Engine({
			layout,
			memory: this.memory,
			bus: this.bus,
			time: { ticks: () => this.#ticks(), executedAt: (ticks) => this.#executedAt(ticks) },
			hosted,
			observer: this.#hartObserver(options.observer),
			...(options.engine ? { engine: options.engine } : {}),
		});
		this.harts = this.#engine.harts;
		const lines = (line: number): InterruptLine[] =>
			this.harts.map((hart) => ({ set: (level) => hart.setLine(line, level) }));
		// With the built-in SBI there is no M-mode software whose interrupts could be taken.
		const nowhere = this.harts.map((): InterruptLine => ({ set: () => {} }));
		this.#aclint = new Aclint({
			now: () => this.#see(),
			tickNanos: TICK_NANOS,
			software: builtin ? nowhere : lines(MIP_MSIP),
			timer: builtin ? nowhere : lines(MIP_MTIP),
			setDeadline: (hart, nanos) => this.#schedule(`aclint.${hart}`, nanos),
		});
		this.harts.forEach((_, hart) => {
			this.#events.handle(`aclint.${hart}`, () => this.#aclint.expire(hart));
		});
		const external = builtin ? nowhere : lines(MIP_MEIP);
		const supervisor = this.harts.map(
			(hart): InterruptLine => ({
				set: (level) => {
					if (this.#kernel?.external) this.#kernel.external(hart.id, level);
					else hart.setLine(MIP_SEIP, level);
				},
			}),
		);
		this.#plic = new Plic({ contexts: this.harts.flatMap((_, hart) => [external[hart]!, supervisor[hart]!]) });
		const sink = { write: (byte: number): void => options.console?.(byte) };
		this.#uart = new Ns16550a({
			now: () => this.#see(),
			line: this.#plic.source(InterruptNumber.uart),
			console: sink,
			timer: this.#timer('uart', () => this.#uart.expire()),
		});
		this.#rtc = new GoldfishRtc({
			now: () => this.#see(),
			baseNanos: options.wallClock ?? 0n,
			line: this.#plic.source(InterruptNumber.rtc),
			timer: this.#timer('rtc', () => this.#rtc.expire()),
		});
		this.#finisher = new Finisher({
			exit: (code) => this.#end({ reason: 'power-off', code }),
			reset: () => this.#end({ reason: 'reset', code: 0 }),
		});
		this.bus.add({ name: 'finisher', ...MemoryMap.finisher, device: this.#finisher });
		this.bus.add({ name: 'rtc', ...MemoryMap.rtc, device: this.#rtc });
		this.bus.add({ name: 'aclint', ...MemoryMap.aclint, device: this.#aclint });
		this.bus.add({ name: 'plic', ...MemoryMap.plic, device: this.#plic });
		this.bus.add({ name: 'uart', ...MemoryMap.uart, device: this.#uart });
		this.#addVirtio(options);

		this.boot = options.images ? placeBoot(this.memory, withSeed(options, options.images), ram, harts) : NO_BOOT;
		const { entry, deviceTree } = this.boot;
		const htif = options.htif ?? htifOf(this.boot.symbols);
		if (htif) {
			this.#htif = new Htif({
				memory: this.memory,
				...htif,
				port: { exit: (code) => this.#end({ reason: 'power-off', code }) },
				console: sink,
			});
		}
		if (factory) {
			this.#events.handle('kernel', () => this.#kernel?.timer?.());
			this.#kernel = factory.create(this.#kernelBoard(sink), BigInt(entry), BigInt(deviceTree));
		} else {
			if (!options.images) throw new MachineError('there is nothing to run: neither images nor a kernel');
			for (const hart of this.harts) hart.state[Slot.pc] = BigInt(MemoryMap.rom.base);
		}
		for (const hart of this.harts) hart.stateChanged();
		this.description = {
			harts,
			memory: ram,
			firmware: builtin ? 'builtin' : 'none',
			...(htif ? { htif } : {}),
			virtio: (options.virtio ?? []).map(({ kind }) => kind),
			wallClock: options.wallClock ?? 0n,
			seed: options.seed ?? 1,
			traceHash: options.traceHash ?? false,
		};
	}

	/** Virtual nanoseconds since reset. Asking changes nothing. */
	now(): number {
		const within = this.#turnDone + (this.#turn?.executed ?? 0);
		return Math.max(this.#timeFloor, this.#clock.nanosAfter(within));
	}

	/** Instructions that each hart could have executed since reset, trapped ones too, time asleep not counted. */
	get executed(): number {
		return this.#executed;
	}

	/** Instructions that a hart has retired. */
	retired(hart: number): bigint {
		return this.harts[hart]!.state[Slot.retired]!;
	}

	/** What the engine's translator has done; undefined where there is none. */
	get translatorStats(): TranslatorStats | undefined {
		return this.#engine.translatorStats;
	}

	/** How the guest ended, once it has. */
	get ending(): Ending | undefined {
		return this.#ending;
	}

	/** Digest of the trace so far; undefined where it is not kept. */
	get traceHash(): string | undefined {
		return this.#hash?.digest();
	}

	/**
	 * Gives the guest's console input; the number of bytes taken. The rest must be offered again.
	 *
	 * It waits in the UART: a guest that reads it there, through the SBI or through HTIF takes the same bytes, once.
	 */
	receive(bytes: Uint8Array): number {
		const taken = this.#uart.receive(bytes);
		this.#pollHtif();
		return taken;
	}

	/** The network device in a virtio slot, to give it frames. */
	network(slot: number): VirtioNet {
		const device = this.#virtio[slot]?.device?.model;
		if (!(device instanceof VirtioNet)) throw new RangeError(`virtio slot ${slot} holds no network device`);
		return device;
	}

	/** The console device in a virtio slot, to give it input. */
	virtioConsole(slot: number): VirtioConsole {
		const device = this.#virtio[slot]?.device?.model;
		if (!(device instanceof VirtioConsole)) throw new RangeError(`virtio slot ${slot} holds no console`);
		return device;
	}

	/** Block requests that wait for their back end. A snapshot must wait until there are none. */
	get requestsInFlight(): number {
		let count = 0;
		for (const { device } of this.#virtio) {
			if (device?.model instanceof VirtioBlk) count += device.model.state.inFlight.length;
		}
		return count;
	}

	/** Makes {@link run} return soon with `stopped`. */
	stop(): void {
		this.#stopRequested = true;
		this.#turn?.endRun();
	}

	/**
	 * Runs for `instructions` of each hart's time, or until the guest ends, or nothing can happen any more. Several harts
	 * finish their turns, so that up to {@link TURN} more are executed. How a run is divided makes no difference to the
	 * guest.
	 */
	run(instructions: number, options: RunOptions = {}): RunResult {
		const end = this.#executed + instructions;
		const idleUntil = options.idleUntil ?? Number.MAX_SAFE_INTEGER;
		this.#stopRequested = false;
		for (;;) {
			this.#events.runDue(this.#clock.now());
			if (this.#ending) return { reason: 'ended', ending: this.#ending };
			if (this.#stopRequested) return { reason: 'stopped' };
			if (this.#executed >= end) return { reason: 'limit' };
			const length = this.#sliceLength(end);
			const used = this.#runTurns(length);
			this.#clock.retire(used);
			this.#executed += used;
			if (Math.floor((this.#executed - used) / CHECKPOINT) < Math.floor(this.#executed / CHECKPOINT))
				this.#checkpoint();
			// Not where the run's limit divides it.
			if (used < length || this.#executed % HTIF_POLL === 0) this.#pollHtif();
			if (used > 0 || this.#ending || this.#stopRequested) continue;
			const next = this.#nextWake();
			if (next > idleUntil || next >= Number.MAX_SAFE_INTEGER) {
				if (idleUntil < Number.MAX_SAFE_INTEGER) this.#clock.advanceTo(idleUntil);
				return { reason: 'idle', next: next < Number.MAX_SAFE_INTEGER ? next : undefined };
			}
			this.#clock.advanceTo(next);
		}
	}

	/** The state, for a snapshot. No block request may be in flight. */
	save(): MachineState {
		if (this.requestsInFlight > 0) throw new Error('a snapshot must wait for the block requests in flight');
		return {
			clock: this.#clock.state,
			events: this.#events.state,
			executed: this.#executed,
			timeFloor: this.#timeFloor,
			engine: this.#engine.save(),
			memory: this.memory.save(),
			aclint: structuredClone(this.#aclint.state),
			plic: structuredClone(this.#plic.state),
			uart: structuredClone(this.#uart.state),
			rtc: structuredClone(this.#rtc.state),
			finisher: structuredClone(this.#finisher.state),
			htif: structuredClone(this.#htif?.state),
			kernel: structuredClone(this.#kernel?.state),
			virtio: this.#virtio.map(({ transport, device }) => ({
				transport: structuredClone(transport.state),
				device: structuredClone(device?.stateful.state),
			})),
			hash: this.#hash?.state,
			ending: this.#ending,
		};
	}

	/** Takes the state of a snapshot of a machine with the same options (back ends apart). Throws where it cannot be. */
	restore(state: MachineState): void {
		if ((state.kernel === undefined) !== (this.#kernel === undefined) || state.virtio.length !== this.#virtio.length)
			throw new MachineError('snapshot: it was taken of a machine with other options');
		this.memory.restore(state.memory);
		this.#clock.restore(state.clock);
		this.#events.restore(state.events);
		this.#executed = state.executed;
		this.#aclint.restore(state.aclint);
		this.#plic.restore(state.plic);
		this.#uart.restore(state.uart);
		this.#rtc.restore(state.rtc);
		this.#finisher.restore(state.finisher);
		if (this.#htif && state.htif) this.#htif.restore(state.htif);
		this.#kernel?.restore(state.kernel as never);
		this.#virtio.forEach(({ transport, device }, slot) => {
			const saved = state.virtio[slot]!;
			transport.restore(saved.transport);
			device?.stateful.restore(saved.device as never);
		});
		if (this.#hash) {
			if (!state.hash) throw new MachineError('snapshot: it was taken without a trace hash, so none can go on');
			this.#hash.restore(state.hash);
		}
		this.#ending = state.ending;
		// Last: what devices drove while they were restored is part of what was saved.
		this.#engine.restore(state.engine);
		this.#events.restore(state.events);
		this.#timeFloor = state.timeFloor;
	}

	/** All harts take their turns over the same `length` instructions of time; the most that any of them used. */
	#runTurns(length: number): number {
		let most = 0;
		for (const hart of this.harts) {
			if (this.#ending || this.#stopRequested) break;
			if (!this.#mayRun(hart)) continue;
			most = Math.max(most, this.#runTurn(this.#engine.select(hart.id), length));
		}
		return most;
	}

	#runTurn(hart: Hart, length: number): number {
		this.#inTurn = true;
		this.#turn = hart;
		this.#turnDone = 0;
		while (this.#turnDone < length && !this.#ending && !this.#stopRequested) {
			const due = this.#executedAtNanos(this.#events.nextDeadline());
			const exit = hart.run(Math.min(length - this.#turnDone, Math.max(due, 1)));
			this.#turnDone += hart.executed;
			this.#turn = undefined;
			const more = this.#handleExit(hart, exit);
			// A device that the hart has just armed may be due before the turn is over.
			const local = this.#clock.nanosAfter(this.#turnDone);
			if (this.#events.nextDeadline() <= local) this.#events.runDue(local);
			this.#turn = hart;
			if (!more) break;
		}
		this.#turn = undefined;
		this.#inTurn = false;
		const done = this.#turnDone;
		this.#turnDone = 0;
		return done;
	}

	/** Whether the hart's turn goes on. */
	#handleExit(hart: Hart, exit: Exit): boolean {
		if (exit.reason === 'wait') return false;
		if (exit.reason === 'trap') this.#kernel!.handleTrap(hart.id, exit);
		return this.#mayRun(hart);
	}

	#kernelBoard(sink: { write(byte: number): void }): KernelBoard {
		return {
			harts: this.harts,
			memory: this.memory,
			bus: this.bus,
			console: {
				write: (bytes) => {
					for (const byte of bytes) sink.write(byte);
				},
				read: (max) => this.#takeInput(max),
			},
			now: () => this.#see(),
			charge: (instructions) => this.#charge(instructions),
			setTimer: (nanos) => this.#schedule('kernel', nanos),
			end: (ending) => this.#end(ending),
		};
	}

	#charge(instructions: number): void {
		if (this.#inTurn) this.#turnDone += instructions;
		else {
			this.#clock.retire(instructions);
			this.#executed += instructions;
		}
	}

	/** Instructions until something else than the harts must be looked at. */
	#sliceLength(end: number): number {
		let length = CHECKPOINT - (this.#executed % CHECKPOINT);
		if (this.#htif) length = Math.min(length, HTIF_POLL - (this.#executed % HTIF_POLL));
		// The turns of several harts are not divided: that would change what they see of each other.
		return Math.min(length, this.harts.length > 1 ? TURN : end - this.#executed);
	}

	/** Everybody waits: the virtual time at which something happens; MAX_SAFE_INTEGER where nothing will. */
	#nextWake(): number {
		if (this.harts.some((hart) => this.#mayRun(hart) && hart.wakes)) return this.#clock.now();
		let next = this.#events.nextDeadline();
		const ticks = this.#ticks();
		for (const hart of this.harts) {
			if (!this.#mayRun(hart)) continue;
			const timer = hart.nextTimer(ticks);
			if (timer !== undefined) next = Math.min(next, this.#nanosOfTicks(timer));
		}
		return Math.max(next, this.#clock.now());
	}

	#mayRun(hart: Hart): boolean {
		return this.#kernel === undefined || this.#kernel.isRunning(hart.id);
	}

	/** The time for somebody in the guest: from now on it is not earlier for anybody. */
	#see(): number {
		this.#timeFloor = this.now();
		return this.#timeFloor;
	}

	#ticks(): bigint {
		return this.#aclint.mtime();
	}

	/** Virtual nanoseconds at which mtime reaches `ticks`. */
	#nanosOfTicks(ticks: bigint): number {
		const plain = BigInt.asUintN(64, ticks - this.#aclint.state.mtimeOffset);
		const nanos = plain * BigInt(TICK_NANOS);
		return nanos > BigInt(Number.MAX_SAFE_INTEGER) ? Number.MAX_SAFE_INTEGER : Number(nanos);
	}

	/** Executed instructions of the running hart's current run after which mtime is at least `ticks`. */
	#executedAt(ticks: bigint): number {
		return this.#executedAtNanos(this.#nanosOfTicks(ticks));
	}

	/** The same for a time in nanoseconds: never, for one that the clock does not reach. */
	#executedAtNanos(nanos: number): number {
		if (nanos >= Number.MAX_SAFE_INTEGER) return Number.POSITIVE_INFINITY;
		return this.#clock.instructionsUntil(nanos) - this.#turnDone;
	}

	/** Input that waits in the UART, at most `max` bytes, taken from its registers as firmware would. */
	#takeInput(max: number): Uint8Array {
		const bytes: number[] = [];
		const divisorLatch = (this.#uart.read(UART_LCR, 1) & LCR_DLAB) !== 0;
		while (!divisorLatch && bytes.length < max && this.#uart.read(UART_LSR, 1) & LSR_DATA_READY) {
			bytes.push(this.#uart.read(UART_RBR_THR_DLL, 1));
		}
		return Uint8Array.from(bytes);
	}

	/** Does what `tohost` asks. A guest that waits for a character gets one. */
	#pollHtif(): void {
		const htif = this.#htif;
		if (!htif) return;
		htif.poll();
		while (htif.state.reads > 0 && htif.state.input.count === 0) {
			const byte = this.#takeInput(1);
			if (byte.length === 0) return;
			htif.receive(byte);
		}
	}

	#schedule(key: string, nanos: number | undefined): void {
		if (nanos === undefined || nanos >= Number.MAX_SAFE_INTEGER) this.#events.cancel(key);
		else this.#events.schedule(key, Math.max(nanos, 0));
		this.#turn?.endRun();
	}

	#timer(key: string, expire: () => void): { setDeadline: (nanos: number | undefined) => void } {
		this.#events.handle(key, expire);
		return { setDeadline: (nanos) => this.#schedule(key, nanos) };
	}

	#end(ending: Ending): void {
		this.#ending ??= ending;
		this.#turn?.endRun();
	}

	#addVirtio({ virtio = [], seed, deviceObserver }: MachineOptions): void {
		if (virtio.length > VIRTIO_SLOTS)
			throw new MachineError(`virtio: ${virtio.length} devices: the board has ${VIRTIO_SLOTS} slots`);
		const observer = deviceObserver === undefined ? {} : { observer: deviceObserver };
		for (let slot = 0; slot < VIRTIO_SLOTS; slot++) {
			const description = virtio[slot];
			const device = description && createVirtio(description, seed ?? 1, observer);
			const transport = new VirtioMmio({
				memory: this.memory,
				line: this.#plic.source(InterruptNumber.virtio + slot),
				...(device === undefined ? {} : { device: device.model }),
				...observer,
			});
			this.#virtio.push({ transport, device });
			const { base, size } = MemoryMap.virtio;
			this.bus.add({ name: `virtio${slot}`, base: base + slot * size, size, device: transport });
		}
	}

	/** Adds to the trace hash what the user's observer sees. */
	#hartObserver(observer: HartObserver | undefined): HartObserver {
		const hash = this.#hash;
		if (!hash) return observer ?? {};
		return {
			...(observer?.instruction && { instruction: observer.instruction.bind(observer) }),
			trap: (hart, retired, pc, cause, value) => {
				hash.event(hart, low(retired), high(retired), low(pc), high(pc), cause, low(value), high(value));
				observer?.trap?.(hart, retired, pc, cause, value);
			},
		};
	}

	/** Every 2^20 instructions: registers, and memory written since. Whether it is hashed makes no difference to the guest. */
	#checkpoint(): void {
		this.#engine.clearWritePermissions();
		const hash = this.#hash;
		if (!hash) return;
		for (const { state } of this.harts) {
			hash.addBytes(new Uint8Array(state.buffer, state.byteOffset, Slot.engine * 8));
		}
		this.memory.takeDirty((page, frame) => {
			hash.addBytes(this.memory.bytes.subarray(frame, frame + 4096), page);
		});
	}
}

function createVirtio(
	description: VirtioDescription,
	seed: number,
	observer: { readonly observer?: DeviceObserver },
): VirtioPart {
	switch (description.kind) {
		case 'block': {
			const { backend, id } = description;
			const model = new VirtioBlk({ backend, ...(id === undefined ? {} : { id }), ...observer });
			return { model, stateful: model };
		}
		case 'net': {
			const model = new VirtioNet({ mac: description.mac, backend: description.backend, ...observer });
			return { model, stateful: model };
		}
		case 'console': {
			const model = new VirtioConsole({ console: { write: description.write }, ...observer });
			return { model, stateful: model };
		}
		case 'entropy': {
			const source = new SeededBytes(seed);
			return { model: new VirtioEntropy(source), stateful: source };
		}
	}
}

/** No images: a hosted kernel brings its own guests. */
const NO_BOOT: BootLayout = {
	entry: 0,
	mode: 'supervisor',
	deviceTree: 0,
	blob: new Uint8Array(0),
	symbols: new Map(),
};

/** The SBI that is built in, in place of firmware. */
const builtinSbi: HostedKernelFactory = {
	hosted: { machine: true, supervisor: false },
	create({ harts, memory, console, end }, entry, deviceTree) {
		const sbi = new Sbi({
			harts,
			memory,
			console,
			reset: (type, failure) =>
				end(type === 'shutdown' ? { reason: 'power-off', code: failure ? 1 : 0 } : { reason: 'reset', code: 0 }),
		});
		sbi.initialise(0, entry, deviceTree);
		return sbi;
	},
};

/** HTIF's words, where a program has them. */
function htifOf(symbols: ReadonlyMap<string, bigint>): { tohost: number; fromhost?: number } | undefined {
	const tohost = symbols.get('tohost');
	const fromhost = symbols.get('fromhost');
	if (tohost === undefined) return undefined;
	return { tohost: Number(tohost), ...(fromhost === undefined ? {} : { fromhost: Number(fromhost) }) };
}

/** Images with the devicetree's random seed, unless the caller gave one. */
function withSeed({ seed = 1 }: MachineOptions, images: BootImages): BootImages {
	if (images.randomSeed !== undefined) return images;
	const randomSeed = new Uint8Array(32);
	new SeededBytes(seed).fill(randomSeed);
	return { ...images, randomSeed };
}

const low = (value: bigint): number => Number(value & 0xffff_ffffn);
const high = (value: bigint): number => Number((value >> 32n) & 0xffff_ffffn);
