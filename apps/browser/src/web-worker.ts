// A machine in a worker of a page: takes one message, a Guest, and answers with its Outcome, or with what went wrong.
import { GUEST_FILES, type Guest, runGuest } from './run-guest.ts';

async function read(path: string): Promise<Uint8Array> {
	const response = await fetch(GUEST_FILES + path);
	if (!response.ok) throw new Error(`${path}: ${response.status} ${response.statusText}`);
	return new Uint8Array(await response.arrayBuffer());
}

self.onmessage = async ({ data }: MessageEvent<Guest>) => {
	try {
		self.postMessage({ outcome: await runGuest(data, read) });
	} catch (error) {
		self.postMessage({ error: String(error) });
	}
};
