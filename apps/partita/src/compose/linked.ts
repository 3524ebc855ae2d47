// What the bundler linked for each group of trusted parts, as it was measured when the command line was built.
import { existsSync, readFileSync } from 'node:fs';
import type { LinkedGroup } from '@partita/report';
import type { Plan } from '@partita/system';
import { groupKey, trustGroups } from './trust.ts';

/** Written by build/linked.ts: packages by a group's key. */
type Measured = Readonly<Record<string, LinkedGroup['packages']>>;

/** The groups of a plan's composition; undefined where nothing was measured (run from sources). */
export function linkedGroups({ system, composition, vms }: Plan): LinkedGroup[] | undefined {
	const file = new URL('./linked.json', import.meta.url);
	if (!existsSync(file)) return undefined;
	const measured = JSON.parse(readFileSync(file, 'utf8')) as Measured;
	const devices = [...new Set(vms.flatMap(({ vm }) => vm.devices.map(({ kind }) => kind)))].sort();
	const policy = system.scheduling.policy;
	return trustGroups({ composition, policy, devices, vms: vms.length > 0 }).map((group) => ({
		name: group.name,
		runs: group.runs,
		packages: measured[groupKey(group)] ?? [],
	}));
}
