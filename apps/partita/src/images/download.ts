// Downloads of files whose size and SHA-256 are known beforehand. A broken connection is taken up where it broke; a
// file with other contents is refused. What is downloaded is trusted for its hash alone, so plain HTTP does as well.

import { createHash, type Hash } from 'node:crypto';
import { open, rm } from 'node:fs/promises';
import { fileError, ImagesError, systemErrorCode } from './errors.ts';

/** A file that is to be downloaded. */
export interface DownloadRequest {
	url: string;
	/** Bytes. */
	size: number;
	/** Lower-case hex. */
	sha256: string;
	/** Told the number of bytes so far. */
	onBytes?: ((done: number) => void) | undefined;
}

/** How persistent a download is. */
export interface RetryPolicy {
	/** Connections in all. */
	attempts: number;
	/** Pause before the second attempt; doubles with each further one. */
	pauseMs: number;
	/** A connection that says nothing for so long is given up. */
	stallMs: number;
}

const DEFAULT_RETRY: RetryPolicy = { attempts: 4, pauseMs: 500, stallMs: 30_000 };

/** A reason to try again. */
class TransientError extends Error {}

/**
 * Downloads into a new file; on failure, no file is left.
 * @throws {@link ImagesError} when the network or the server fails for good, or size or hash are wrong
 */
export async function download(
	request: DownloadRequest,
	file: string,
	retry: RetryPolicy = DEFAULT_RETRY,
): Promise<void> {
	const state: DownloadState = { done: 0, hash: createHash('sha256') };
	const handle = await open(file, 'wx').catch((error: unknown) => {
		throw fileError('write', file, error);
	});
	try {
		for (let attempt = 1; ; attempt++) {
			try {
				await transfer(request, state, handle, retry.stallMs);
				break;
			} catch (error) {
				if (!(error instanceof TransientError)) throw error;
				if (attempt >= retry.attempts) {
					throw new ImagesError(`Cannot download ${request.url}`, {
						why: error.message,
						advice: 'check the network connection and try again; --mirror URL names another place',
						cause: error,
					});
				}
				await new Promise((resolve) => setTimeout(resolve, retry.pauseMs * 2 ** (attempt - 1)));
			}
		}
		const actual = state.hash.digest('hex');
		if (actual !== request.sha256) {
			throw new ImagesError(`Refused ${request.url}`, {
				why: `its SHA-256 is ${actual}, not ${request.sha256}`,
				advice: 'the file was altered on its way or at the mirror; try another network or mirror',
			});
		}
	} catch (error) {
		await handle.close();
		await rm(file, { force: true });
		throw error instanceof ImagesError ? error : fileError('write', file, error);
	}
	await handle.close();
}

interface DownloadState {
	done: number;
	hash: Hash;
}

async function transfer(
	request: DownloadRequest,
	state: DownloadState,
	file: Awaited<ReturnType<typeof open>>,
	stallMs: number,
): Promise<void> {
	const abort = new AbortController();
	const stalled = (): void => abort.abort(new Error(`no data for ${stallMs / 1000} s`));
	let timer = setTimeout(stalled, stallMs);
	try {
		const headers: Record<string, string> = { 'accept-encoding': 'identity' };
		if (state.done > 0) headers.range = `bytes=${state.done}-`;
		const response = await fetch(request.url, { headers, signal: abort.signal }).catch((error: unknown) => {
			throw networkError(error, request.url);
		});
		if (response.status >= 500 || response.status === 429) {
			await response.body?.cancel();
			throw new TransientError(`the server answered ${response.status}`);
		}
		if (!response.ok || !response.body) {
			await response.body?.cancel();
			throw new ImagesError(`Cannot download ${request.url}`, {
				why: `the server answered ${response.status} ${response.statusText}`.trimEnd(),
				advice: 'check the address given to --mirror, or use --source apt',
			});
		}
		const resumed =
			response.status === 206 && response.headers.get('content-range')?.startsWith(`bytes ${state.done}-`) === true;
		if (response.status === 206 && !resumed) {
			await response.body.cancel();
			state.done = 0;
			throw new TransientError('the server answered with another part of the file');
		}
		if (!resumed) {
			// The server does not take up a broken transfer: from the beginning.
			state.done = 0;
			state.hash = createHash('sha256');
			await file.truncate(0);
		}
		const reader = response.body.getReader();
		for (;;) {
			const { done, value } = await reader.read().catch((error: unknown) => {
				throw networkError(error, request.url);
			});
			if (done) break;
			clearTimeout(timer);
			timer = setTimeout(stalled, stallMs);
			if (state.done + value.length > request.size) {
				await reader.cancel();
				throw new ImagesError(`Refused ${request.url}`, {
					why: `it is larger than the ${request.size} bytes that it should have`,
					advice: 'check the address given to --mirror',
				});
			}
			await file.write(value, 0, value.length, state.done);
			state.hash.update(value);
			state.done += value.length;
			request.onBytes?.(state.done);
		}
		if (state.done < request.size) {
			throw new TransientError(`the connection ended after ${state.done} of ${request.size} bytes`);
		}
	} finally {
		clearTimeout(timer);
	}
}

/** What fetch reports as `fetch failed`, in words. */
function networkError(error: unknown, url: string): TransientError {
	const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
	const host = new URL(url).host;
	switch (systemErrorCode(cause)) {
		case 'ENOTFOUND':
		case 'EAI_AGAIN':
			return new TransientError(`there is no network, or the name ${host} is unknown`);
		case 'ENETUNREACH':
		case 'EHOSTUNREACH':
		case 'ENETDOWN':
			return new TransientError(`there is no network connection to ${host}`);
		case 'ECONNREFUSED':
			return new TransientError(`${host} refuses connections`);
		default:
			return new TransientError(`the connection to ${host} broke (${cause instanceof Error ? cause.message : cause})`);
	}
}
