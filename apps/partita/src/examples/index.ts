// Descriptions that come with the command line, by name.
import type { SystemDescription } from '@partita/system';
import { gateway } from './gateway.ts';

export const examples: ReadonlyMap<string, SystemDescription> = new Map(
	[gateway].map((system) => [system.name, system]),
);
