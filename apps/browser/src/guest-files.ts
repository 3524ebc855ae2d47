// Hands the files of guests to the page: what lies in the folders that it is given, by its path, below GUEST_FILES.
import { createReadStream } from 'node:fs';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { resolve, sep } from 'node:path';
import { GUEST_FILES } from './run-guest.ts';

/** The part of Vite's plugins and of its server that this needs. */
interface GuestFilesPlugin {
	readonly name: string;
	configureServer(server: {
		readonly middlewares: {
			use(route: string, handler: (request: IncomingMessage, response: ServerResponse) => void): unknown;
		};
	}): void;
}

/** A plugin for the tests' server, which listens on the loopback address only. */
export function guestFiles(folders: readonly string[]): GuestFilesPlugin {
	return {
		name: 'partita-guest-files',
		configureServer({ middlewares }) {
			middlewares.use(GUEST_FILES, (request, response) => {
				const path = resolve(decodeURIComponent(new URL(request.url ?? '/', 'http://page').pathname));
				const refuse = (): void => void response.writeHead(404).end();
				if (!folders.some((folder) => path.startsWith(folder + sep))) return refuse();
				createReadStream(path).on('error', refuse).pipe(response);
			});
		},
	};
}
