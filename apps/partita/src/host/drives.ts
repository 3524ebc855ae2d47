// The drives of a machine: opens what the flags name, each file at most once for writing, and closes it again.
import { realpathSync } from 'node:fs';
import { type BlockBackend, OverlayBlockBackend, type OverlayState } from '@partita/devices';
import type { DriveFlag } from '../boot/values.ts';
import { CommandError } from '../errors.ts';
import { type Complain, FileDrive } from './file-drive.ts';
import { OverlayFileDrive } from './overlay-file.ts';

/** A drive as a snapshot knows it: plain data. */
export interface DriveRecord {
	readonly sectors: number;
	readonly kind: 'file' | 'read-only' | 'overlay' | 'overlay-file';
	/** When the file that takes the writes was last written, in milliseconds since 1970; 0 where none does. */
	readonly modified: number;
	/** What an overlay in memory holds. */
	readonly overlay?: OverlayState;
}

/** An open drive. */
export interface Drive {
	readonly backend: BlockBackend;
	/** What a snapshot must remember of it. Everything that was written has been written through. */
	record(): DriveRecord;
	/** Goes on from a snapshot. Throws CommandError where the disk is not what it was then. */
	resume(record: DriveRecord): void;
	close(): void;
}

/** Opens all of them, or, with a CommandError, none. */
export function openDrives(flags: readonly DriveFlag[], complain: Complain): Drive[] {
	const drives: Drive[] = [];
	const used = new Map<string, 'read' | 'write'>();
	const use = (file: string, how: 'read' | 'write'): void => {
		const key = realpathSync(file);
		const before = used.get(key);
		if (before !== undefined && (before === 'write' || how === 'write')) {
			throw new CommandError(`drive: ${file} is there twice, and would be written to`, {
				advice: `--drive ${file},overlay for one of them`,
			});
		}
		used.set(key, how);
	};
	try {
		for (const flag of flags) {
			const drive = openDrive(flag, complain);
			drives.push(drive);
			use(flag.file, flag.readOnly || flag.overlay ? 'read' : 'write');
			if (typeof flag.overlay === 'object') use(flag.overlay.file, 'write');
		}
		return drives;
	} catch (error) {
		for (const drive of drives) drive.close();
		throw error;
	}
}

function openDrive({ file, overlay, readOnly }: DriveFlag, complain: Complain): Drive {
	const image = new FileDrive(file, readOnly || overlay !== undefined, complain);
	if (overlay === 'memory') return memoryOverlay(file, image);
	if (overlay) {
		try {
			return new FileBacked(overlay.file, 'overlay-file', new OverlayFileDrive(overlay.file, image, complain));
		} catch (error) {
			image.close();
			throw error;
		}
	}
	return new FileBacked(file, readOnly ? 'read-only' : 'file', image);
}

class FileBacked implements Drive {
	readonly backend: FileDrive | OverlayFileDrive;
	readonly #name: string;
	readonly #kind: DriveRecord['kind'];

	constructor(name: string, kind: DriveRecord['kind'], backend: FileDrive | OverlayFileDrive) {
		this.#name = name;
		this.#kind = kind;
		this.backend = backend;
	}

	record(): DriveRecord {
		let failure: string | undefined;
		this.backend.submit({ id: 0, kind: 'flush', sector: 0, data: new Uint8Array(0) }, (_, status, reason) => {
			if (status !== 'ok') failure = reason ?? status;
		});
		if (failure !== undefined)
			throw new CommandError(`--snapshot-save: ${this.#name} cannot be written through`, { why: failure });
		return { sectors: this.backend.sectors, kind: this.#kind, modified: this.#modified() };
	}

	resume(record: DriveRecord): void {
		checkShape(this.#name, record, this.#kind, this.backend.sectors);
		if (record.modified === this.#modified()) return;
		throw new CommandError(`drive: ${this.#name} was written to after the snapshot was taken`, {
			why: `the guest would go on from what it knew of the disk then, and damage its files`,
			advice: `take the snapshot with --drive ${this.#name},overlay, or keep a copy of the disk (cp -p) with the snapshot`,
		});
	}

	close(): void {
		this.backend.close();
	}

	#modified(): number {
		return this.#kind === 'read-only' ? 0 : this.backend.modified;
	}
}

function memoryOverlay(file: string, image: FileDrive): Drive {
	const backend = new OverlayBlockBackend(image);
	return {
		backend,
		record: () => ({ sectors: image.sectors, kind: 'overlay', modified: 0, overlay: backend.state }),
		resume: (record) => {
			checkShape(file, record, 'overlay', image.sectors);
			backend.restore(record.overlay ?? { clusters: [] });
		},
		close: () => image.close(),
	};
}

function checkShape(file: string, record: DriveRecord, kind: DriveRecord['kind'], sectors: number): void {
	const was = `${record.kind}, ${record.sectors} sectors`;
	const is = `${kind}, ${sectors} sectors`;
	if (was !== is)
		throw new CommandError(`drive: ${file} is not the drive of the snapshot`, { why: `it was ${was}; this is ${is}` });
}
