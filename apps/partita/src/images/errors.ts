// The errors of this folder. They are for failures that a user can act on; a bug stays a plain Error.

/** A failure to fetch or build guest images: what failed and where (`message`), why, and what to do about it. */
export class ImagesError extends Error {
	override readonly name = 'ImagesError';
	/** Why it failed, in one sentence; empty where the message says it all. */
	readonly why: string;
	/** What the user can do now. */
	readonly advice: string;

	constructor(message: string, details: { why?: string; advice?: string; cause?: unknown } = {}) {
		super(message, details.cause === undefined ? undefined : { cause: details.cause });
		this.why = details.why ?? '';
		this.advice = details.advice ?? '';
	}

	/** All parts, one per line, as the command line prints them. */
	describe(): string {
		const lines = [this.message];
		if (this.why) lines.push(`  why: ${this.why}`);
		if (this.advice) lines.push(`  try: ${this.advice}`);
		return lines.join('\n');
	}
}

/** A mirror whose index is not the one that its signed list names: it is being brought up to date, or got stuck there. */
export class InconsistentMirrorError extends ImagesError {}

/** The `code` of a Node system error (`ENOENT`, `ENOSPC`), else undefined. */
export function systemErrorCode(error: unknown): string | undefined {
	const code = error instanceof Error ? (error as NodeJS.ErrnoException).code : undefined;
	return typeof code === 'string' ? code : undefined;
}

/** Turns a failed file operation into an {@link ImagesError} that names the path; passes an {@link ImagesError} on. */
export function fileError(action: string, path: string, error: unknown): ImagesError {
	if (error instanceof ImagesError) return error;
	const code = systemErrorCode(error);
	const details = { cause: error, why: error instanceof Error ? error.message : String(error) };
	switch (code) {
		case 'ENOSPC':
		case 'EDQUOT':
			return new ImagesError(`Cannot ${action} ${path}`, {
				...details,
				why: 'the disk is full',
				advice: 'free some space (about 300 MB are needed), or choose another place with --dir',
			});
		case 'EACCES':
		case 'EPERM':
		case 'EROFS':
			return new ImagesError(`Cannot ${action} ${path}`, {
				...details,
				why: 'no permission',
				advice: 'choose a folder that you may write with --dir',
			});
		default:
			return new ImagesError(`Cannot ${action} ${path}`, details);
	}
}
