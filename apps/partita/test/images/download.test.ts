import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import tls from 'node:tls';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { type DownloadRequest, download } from '../../src/images/download.ts';
import { type Mirror, type Misbehaviour, sha256, startMirror } from './support.ts';

const BODY = new Uint8Array(300_000).map((_, index) => (index * 7) % 253);
const QUICK = { attempts: 3, pauseMs: 1, stallMs: 5_000 };

let folder = '';
let mirror: Mirror | undefined;
/** Bytes that the client has read, and what is done whenever they are more. */
let taken = 0;
let whenTaken = (): void => {};
beforeEach(() => {
	taken = 0;
	whenTaken = () => {};
	folder = mkdtempSync(path.join(tmpdir(), 'partita-download-'));
});
afterEach(async () => {
	await mirror?.close();
	mirror = undefined;
	rmSync(folder, { recursive: true, force: true });
});

async function serve(
	misbehave?: Misbehaviour,
	body: Uint8Array = BODY,
): Promise<{ request: DownloadRequest; file: string }> {
	mirror = await startMirror(new Map([['pool/a+b.deb', body]]), misbehave);
	const url = `${mirror.url}/pool/a%2Bb.deb`;
	const onBytes = (done: number): void => {
		taken = done;
		whenTaken();
	};
	return { request: { url, size: BODY.length, sha256: sha256(BODY), onBytes }, file: path.join(folder, 'file') };
}

/** Sends the first bytes of what was asked for, then cuts the connection: for the first `times` requests. */
function breaking(times: number, after: number, honourRange = true): Misbehaviour {
	let broken = 0;
	return (request, response, body) => {
		const start = honourRange ? Number(/\d+/.exec(request.headers.range ?? '0')?.[0]) : 0;
		if (broken++ >= times) {
			if (honourRange || request.headers.range === undefined) return false;
			response.writeHead(200, { 'content-length': body.length }).end(body);
			return true;
		}
		response.writeHead(start > 0 ? 206 : 200, {
			'content-length': body.length - start,
			...(start > 0 ? { 'content-range': `bytes ${start}-${body.length - 1}/${body.length}` } : {}),
		});
		response.write(body.subarray(start, start + after));
		// Not before the client has read what came: an error discards what waits in its stream.
		whenTaken = () => {
			if (taken >= start + after) response.destroy();
		};
		return true;
	};
}

test('a file arrives whole, and progress is told', async () => {
	const { request, file } = await serve();
	const seen: number[] = [];
	await download({ ...request, onBytes: (done) => seen.push(done) }, file, QUICK);
	expect((await readFile(file)).equals(BODY)).toBe(true);
	expect(seen.at(-1)).toBe(BODY.length);
});

test('by HTTPS, from a server whose certificate is trusted, and from no other', async ({ skip }) => {
	// Since Node 22.19 and 24.5.
	if (tls.setDefaultCACertificates === undefined) return skip('this Node cannot be told of a certificate');
	const files = { key: path.join(folder, 'key.pem'), cert: path.join(folder, 'cert.pem') };
	const made = spawnSync('openssl', [
		...['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '1', '-subj', '/CN=test'],
		...['-addext', 'subjectAltName=IP:127.0.0.1', '-keyout', files.key, '-out', files.cert],
	]);
	if (made.error) return skip('openssl is not installed');
	const cert = await readFile(files.cert);
	mirror = await startMirror(new Map([['file', BODY]]), undefined, { key: await readFile(files.key), cert });
	const request = { url: `${mirror.url}/file`, size: BODY.length, sha256: sha256(BODY) };
	expect(request.url).toMatch(/^https:/);
	const file = path.join(folder, 'file');
	await expect(download(request, file, { ...QUICK, attempts: 1 })).rejects.toThrow(
		expect.objectContaining({ why: expect.stringContaining('self-signed certificate') }),
	);
	expect(existsSync(file)).toBe(false);
	const trusted = tls.getCACertificates();
	try {
		tls.setDefaultCACertificates([...trusted, cert.toString()]);
		await download(request, file, QUICK);
	} finally {
		tls.setDefaultCACertificates(trusted);
	}
	expect((await readFile(file)).equals(BODY)).toBe(true);
});

test('a broken connection is taken up where it broke', async () => {
	const { request, file } = await serve(breaking(2, 100_000));
	await download(request, file, QUICK);
	expect((await readFile(file)).equals(BODY)).toBe(true);
	expect(mirror?.requests).toEqual([
		'pool/a+b.deb',
		expect.stringMatching(/^pool\/a\+b\.deb bytes=\d+-$/),
		expect.stringMatching(/^pool\/a\+b\.deb bytes=\d+-$/),
	]);
});

test('a server without ranges sends it again from the beginning', async () => {
	const { request, file } = await serve(breaking(1, 100_000, false));
	await download(request, file, QUICK);
	expect((await readFile(file)).equals(BODY)).toBe(true);
	expect(mirror?.requests).toHaveLength(2);
});

test('a server that sends another range than asked is not believed', async () => {
	let count = 0;
	const { request, file } = await serve((incoming, response, body) => {
		count++;
		if (count === 1) return breaking(1, 1000)(incoming, response, body);
		if (count > 2) return false;
		response.writeHead(206, { 'content-range': `bytes 0-9/${body.length}` }).end(body.subarray(0, 10));
		return true;
	});
	await download(request, file, QUICK);
	expect((await readFile(file)).equals(BODY)).toBe(true);
	expect(mirror?.requests[2]).toBe('pool/a+b.deb');
});

test('a passing error of the server is survived', async () => {
	let count = 0;
	const { request, file } = await serve((_, response) => {
		if (count++ > 0) return false;
		response.writeHead(503).end('busy');
		return true;
	});
	await download(request, file, QUICK);
	expect(existsSync(file)).toBe(true);
});

test.each<[string, Misbehaviour, RegExp, number]>([
	['a server that always breaks off', breaking(99, 10), /connection/, 3],
	['a server that always fails', (_, response) => Boolean(response.writeHead(500).end()), /answered 500/, 3],
	[
		'a file that is too short',
		(_, response, body) => Boolean(response.end(body.subarray(0, 99))),
		/ended after \d+ of 300000/,
		3,
	],
	['a file that is not there', (_, response) => Boolean(response.writeHead(404).end()), /answered 404 Not Found/, 1],
	[
		'a file that is too large',
		(_, response, body) => Boolean(response.end(Buffer.concat([body, body]))),
		/larger than the 300000 bytes/,
		1,
	],
	[
		'a file with another hash',
		(_, response, body) => Boolean(response.end(body.map((byte, index) => (index === 9 ? byte ^ 1 : byte)))),
		/its SHA-256 is [0-9a-f]{64}, not [0-9a-f]{64}/,
		1,
	],
])('%s: refused, nothing left', async (_, misbehave, why, requests) => {
	const { request, file } = await serve(misbehave);
	await expect(download(request, file, QUICK)).rejects.toThrow(
		expect.objectContaining({
			name: 'ImagesError',
			message: expect.stringContaining(request.url),
			why: expect.stringMatching(why),
			advice: expect.stringMatching(/./),
		}),
	);
	expect(existsSync(file)).toBe(false);
	expect(mirror?.requests).toHaveLength(requests);
});

test('a server that falls silent is given up', async () => {
	const { request, file } = await serve((_, response, body) => {
		response.writeHead(200, { 'content-length': body.length });
		response.write(body.subarray(0, 10));
		return true;
	});
	await expect(download(request, file, { attempts: 1, pauseMs: 1, stallMs: 100 })).rejects.toThrow(
		expect.objectContaining({ why: expect.stringContaining('no data for 0.1 s') }),
	);
	expect(existsSync(file)).toBe(false);
});

test('no network: says so', async () => {
	const { request, file } = await serve();
	await mirror?.close();
	await expect(download(request, file, QUICK)).rejects.toThrow(
		expect.objectContaining({ why: expect.stringContaining('refuses connections') }),
	);
	await expect(download({ ...request, url: 'http://mirror.invalid/x' }, file, QUICK)).rejects.toThrow(
		expect.objectContaining({
			why: expect.stringContaining('there is no network, or the name mirror.invalid is unknown'),
		}),
	);
	expect(existsSync(file)).toBe(false);
});

test('a file that is there already is not touched', async () => {
	const { request, file } = await serve();
	await writeFile(file, 'mine');
	await expect(download(request, file, QUICK)).rejects.toThrow(`Cannot write ${file}`);
	expect(await readFile(file, 'utf8')).toBe('mine');
});
