// The machine that the flags, or a snapshot and the flags, describe, with the host behind its devices: files, sockets.
import { createHash } from 'node:crypto';
import { writeFdt } from '@partita/fdt';
import {
	type BootImages,
	decodeSnapshot,
	encodeSnapshot,
	Machine,
	type MachineOptions,
	type PlainValue,
	type Snapshot,
	type VirtioDescription,
	virtDeviceTree,
} from '@partita/machine';
import { CommandError } from '../errors.ts';
import { CaptureFile } from '../host/capture-file.ts';
import type { ConsoleOutput } from '../host/console-output.ts';
import { type Drive, type DriveRecord, openDrives } from '../host/drives.ts';
import type { Complain } from '../host/file-drive.ts';
import { readWholeFile, writeAtomically } from '../host/files.ts';
import { StreamNet } from '../host/stream-net.ts';
import { asCommandError, loadImages } from './images.ts';
import type { InstructionLog } from './instruction-log.ts';
import { type BootFlags, DEFAULT_MEMORY, DEFAULT_WALL_CLOCK } from './options.ts';
import type { NetFlag } from './values.ts';

/** Where a machine's devices lead. */
export interface BoardPorts {
	readonly output: ConsoleOutput;
	readonly complain: Complain;
	readonly log: InstructionLog | undefined;
}

/** What this application remembers in a snapshot. */
interface Remembered {
	readonly drives: readonly DriveRecord[];
	readonly macs: readonly Uint8Array[];
}

/** A machine and what it holds open. */
export class Board {
	readonly machine: Machine;
	readonly nets: readonly StreamNet[];
	readonly #drives: readonly Drive[];
	readonly #macs: readonly Uint8Array[];
	readonly #capture: CaptureFile | undefined;

	private constructor(parts: {
		machine: Machine;
		nets: readonly StreamNet[];
		drives: readonly Drive[];
		macs: readonly Uint8Array[];
		capture: CaptureFile | undefined;
	}) {
		this.machine = parts.machine;
		this.nets = parts.nets;
		this.#drives = parts.drives;
		this.#macs = parts.macs;
		this.#capture = parts.capture;
	}

	/** Builds it. Throws CommandError, with everything closed again, where something cannot be used. */
	static async open(flags: BootFlags, ports: BoardPorts): Promise<Board> {
		const snapshot = flags.snapshotLoad === undefined ? undefined : loadSnapshot(flags.snapshotLoad);
		const remembered = snapshot && rememberedBy(snapshot);
		const drives = openDrives(flags.drive ?? [], ports.complain);
		const nets: StreamNet[] = [];
		let capture: CaptureFile | undefined;
		try {
			const macs = (flags.net ?? []).map((flag, index) => flag.mac ?? remembered?.macs[index] ?? macOf(flag, index));
			let now = (): number => 0;
			for (const flag of flags.net ?? []) {
				const { complain } = ports;
				nets.push(new StreamNet({ flag, complain, capture: (frame) => capture?.packet(now(), frame) }));
			}
			const virtio = describeVirtio(drives, nets, macs);
			const machine: Machine = new Machine(machineOptions(flags, snapshot, virtio, ports, () => machine));
			now = () => machine.now();
			for (const [index, net] of nets.entries()) {
				const device = machine.network(drives.length + index);
				net.receive = (frame) => device.receive(frame);
			}
			if (snapshot) resume(machine, snapshot, drives);
			if (flags.pcap !== undefined) capture = new CaptureFile(flags.pcap, ports.complain);
			for (const net of nets) await net.open();
			return new Board({ machine, nets, drives, macs, capture });
		} catch (error) {
			capture?.close();
			for (const drive of drives) drive.close();
			await Promise.all(nets.map((net) => net.close()));
			throw asCommandError(error);
		}
	}

	/** Writes a snapshot. Throws CommandError where it cannot be written; an older one is then still there. */
	save(file: string): void {
		const remembered: Remembered = { drives: this.#drives.map((drive) => drive.record()), macs: this.#macs };
		const { machine } = this;
		const application = remembered as unknown as PlainValue;
		const snapshot = { machine: machine.description, state: machine.save(), application };
		writeAtomically('--snapshot-save', file, encodeSnapshot(snapshot));
	}

	/** Writes everything through and closes it. */
	async close(): Promise<void> {
		for (const drive of this.#drives) drive.close();
		this.#capture?.close();
		await Promise.all(this.nets.map((net) => net.close()));
	}
}

function describeVirtio(
	drives: readonly Drive[],
	nets: readonly StreamNet[],
	macs: readonly Uint8Array[],
): VirtioDescription[] {
	const virtio: VirtioDescription[] = [
		...drives.map(({ backend }, index) => ({ kind: 'block' as const, backend, id: `drive${index}` })),
		...nets.map((backend, index) => ({ kind: 'net' as const, backend, mac: macs[index] })),
	];
	// Where there is a slot left.
	if (virtio.length < 8) virtio.push({ kind: 'entropy' });
	return virtio;
}

function machineOptions(
	flags: BootFlags,
	snapshot: Snapshot | undefined,
	virtio: readonly VirtioDescription[],
	{ output, log }: BoardPorts,
	machine: () => Machine,
): MachineOptions {
	const saved = snapshot?.machine;
	const observer = {
		instruction: (hart: number, pc: bigint, word: number): void => log?.add(hart, machine().retired(hart), pc, word),
	};
	return {
		harts: flags.harts ?? saved?.harts ?? 1,
		memory: flags.memory ?? saved?.memory ?? DEFAULT_MEMORY,
		images:
			saved && flags.kernel === undefined && flags.bios === undefined ? NO_IMAGES[saved.firmware] : loadImages(flags),
		...(saved?.htif ? { htif: saved.htif } : {}),
		virtio,
		console: (byte) => output.write(byte),
		wallClock: flags.wallClock ?? saved?.wallClock ?? DEFAULT_WALL_CLOCK,
		seed: flags.seed ?? saved?.seed ?? 1,
		traceHash: flags.traceHash ?? false,
		engine: flags.engine,
		...(log ? { observer } : {}),
	};
}

/** For a machine whose memory a snapshot fills: a kernel of one instruction, which never runs. */
const NO_IMAGES: Readonly<Record<'builtin' | 'none', BootImages>> = {
	builtin: { firmware: 'builtin', kernel: new Uint8Array(4) },
	none: { firmware: 'none', kernel: new Uint8Array(4) },
};

function loadSnapshot(file: string): Snapshot {
	try {
		return decodeSnapshot(readWholeFile('snapshot', file));
	} catch (error) {
		throw asCommandError(error);
	}
}

function rememberedBy(snapshot: Snapshot): Remembered {
	const value = snapshot.application as Partial<Remembered> | null | undefined;
	const drives = value?.drives;
	const macs = value?.macs;
	const valid =
		Array.isArray(drives) &&
		drives.every((drive) => typeof drive === 'object' && drive !== null) &&
		Array.isArray(macs) &&
		macs.every((mac) => mac instanceof Uint8Array && mac.length === 6);
	if (!valid) throw new CommandError('snapshot: it does not say what its drives and networks were');
	return value as Remembered;
}

/** Puts the snapshot's state into the machine. */
function resume(machine: Machine, snapshot: Snapshot, drives: readonly Drive[]): void {
	const was = new Map(Object.entries(describe(snapshot.machine)));
	for (const [what, is] of Object.entries(describe(machine.description))) {
		if (was.get(what) === is) continue;
		throw new CommandError(`snapshot: it was taken of another machine: ${what}`, {
			why: `then: ${was.get(what)}; now: ${is}`,
			advice:
				'leave out flags that say something else than the snapshot, and name as many drives and networks as it had',
		});
	}
	const { drives: records } = rememberedBy(snapshot);
	for (const [index, drive] of drives.entries()) drive.resume(records[index]);
	try {
		machine.restore(snapshot.state);
	} catch (error) {
		throw new CommandError('snapshot: its state does not fit this machine', {
			why: error instanceof Error ? error.message : String(error),
			cause: error,
		});
	}
}

/** What must agree, in words. */
function describe(machine: Snapshot['machine']): Record<string, string> {
	return {
		harts: String(machine.harts),
		memory: `${machine.memory / 2 ** 20} MiB`,
		firmware: machine.firmware === 'builtin' ? 'the built-in SBI' : "the guest's own",
		HTIF: machine.htif ? `${machine.htif.tohost} ${machine.htif.fromhost ?? ''}` : 'none',
		'virtio devices': machine.virtio.join(', ') || 'none',
		'time at power-on': String(machine.wallClock),
		seed: String(machine.seed),
	};
}

/** An address that is the same in every run, and differs between the two ends of a cable. */
function macOf(flag: NetFlag, index: number): Uint8Array {
	const digest = createHash('sha256').update(`${index} ${flag.text}`).digest();
	return Uint8Array.of(0x52, 0x54, 0x00, digest[0], digest[1], digest[2]);
}

/** The devicetree blob that a guest would find. */
export function dumpDeviceTree(flags: BootFlags): Uint8Array {
	const memory = flags.memory ?? DEFAULT_MEMORY;
	const harts = flags.harts ?? 1;
	if (flags.kernel === undefined && (flags.bios === 'builtin' || flags.bios === 'none') && flags.dtb === undefined) {
		const append = flags.append === undefined ? {} : { append: flags.append };
		return writeFdt(virtDeviceTree({ harts, memory, supervisorOnly: flags.bios === 'builtin', ...append }));
	}
	try {
		return new Machine({ harts, memory, images: loadImages(flags), seed: flags.seed ?? 1 }).boot.blob;
	} catch (error) {
		throw asCommandError(error);
	}
}
