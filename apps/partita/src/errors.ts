// The error that the command line prints: what failed and where, why, what to do. A bug stays a plain Error.

/** A failure that a user can act on. */
export class CommandError extends Error {
	override readonly name = 'CommandError';
	/** Why it failed; empty where the message says it all. */
	readonly why: string;
	/** What the user can do now; empty where nothing is known to help. */
	readonly advice: string;

	constructor(message: string, details: { why?: string; advice?: string; cause?: unknown } = {}) {
		super(message, details.cause === undefined ? undefined : { cause: details.cause });
		this.why = details.why ?? '';
		this.advice = details.advice ?? '';
	}
}

/** The parts of an error, one a line, as they are printed. */
export function describeError(error: { message: string; why?: string; advice?: string | undefined }): string {
	const lines = [error.message];
	if (error.why) lines.push(`  why: ${error.why}`);
	if (error.advice) lines.push(`  try: ${error.advice}`);
	return lines.join('\n');
}

/** What the host's system says about a failed call, in words. */
export function hostReason(error: unknown): string {
	const code = error instanceof Error ? (error as NodeJS.ErrnoException).code : undefined;
	const words: Readonly<Record<string, string>> = {
		EACCES: 'permission denied',
		EADDRINUSE: 'the address is in use',
		ECONNREFUSED: 'nobody listens there',
		ECONNRESET: 'the peer closed the connection',
		EDQUOT: 'the disk quota is used up',
		EFBIG: 'the file may not grow that large',
		EIO: 'the medium has an error',
		EISDIR: 'it is a folder',
		ENOENT: 'there is no such file',
		ENOSPC: 'no space is left on the disk',
		ENOTDIR: 'a part of the path is not a folder',
		EPERM: 'the operation is not permitted',
		EROFS: 'the file system is read only',
	};
	const text = code === undefined ? undefined : words[code];
	if (text) return `${text} (${code})`;
	return error instanceof Error ? error.message : String(error);
}
