// A tool of this repository, not of the command line: `node write-pins.ts` writes pins.ts anew from what the host's apt
// has verified. It needs apt, and a network. The snapshot's time is the suite's own date, rounded up to the
// next day: the archive as it stood then.

import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { AptSource, detectApt } from './apt.ts';
import type { PackageRecord } from './packages.ts';
import { silentProgress } from './progress.ts';

const SUITE = 'trixie';
const INDEX = 'main/binary-riscv64/Packages.xz';

const scratch = mkdtempSync(path.join(tmpdir(), 'partita-pins-'));
try {
	const host = await detectApt();
	if ('unusable' in host) throw new Error(host.unusable);
	const index = await new AptSource(host, SUITE, scratch).index('all', silentProgress);
	const lists = path.join(scratch, 'apt', 'state', 'lists');
	const release = readdirSync(lists).find((name) => name.endsWith('_InRelease')) ?? '';
	const signed = readFileSync(path.join(lists, release), 'utf8');
	const [, sha256, size] = new RegExp(`^ ([0-9a-f]{64}) +(\\d+) ${INDEX}$`, 'm').exec(signed) ?? [];
	const date = new Date(/^Date: (.*)$/m.exec(signed)?.[1] ?? '');
	date.setUTCHours(24, 0, 0, 0);
	const meta = index.get('linux-image-riscv64');
	const records = [meta, index.kernel(meta.name), index.get('busybox-static'), index.get('opensbi')];
	const file = path.join(import.meta.dirname, 'pins.ts');
	const text = readFileSync(file, 'utf8');
	const begin = text.indexOf('export const DEBIAN_PINS');
	const pins = `export const DEBIAN_PINS: Pins = {
	suite: '${SUITE}',
	snapshot: '${date.toISOString().replace(/[-:]|\.\d+/g, '')}',
	index: {
		filename: 'dists/${SUITE}/${INDEX}',
		size: ${size},
		sha256: '${sha256}',
	},
	packages: \`${records.map((record) => stanza(record, record === meta)).join('\n')}\`,
};
`;
	writeFileSync(file, text.slice(0, begin) + pins);
} finally {
	rmSync(scratch, { recursive: true, force: true });
}

function stanza(record: PackageRecord, withDepends: boolean): string {
	const depends = withDepends ? [`Depends: ${record.depends.map((choices) => choices.join(' | ')).join(', ')}`] : [];
	return [
		`Package: ${record.name}`,
		`Version: ${record.version}`,
		`Architecture: ${record.architecture}`,
		...depends,
		`Filename: ${record.filename}`,
		`Size: ${record.size}`,
		`SHA256: ${record.sha256}`,
		'',
	].join('\n');
}
