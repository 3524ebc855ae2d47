// Descriptions of 1 to 63 domains: reading must grow with the file, not with its square.
import { readSystem } from '@partita/microkit';
import { test } from 'vitest';

function description(domains: number): string {
	const elements = Array.from(
		{ length: domains },
		(_, index) => `
	<memory_region name="region${index}" size="0x200_000" />
	<protection_domain name="domain${index}" priority="${index}" budget="1_000" period="10_000">
		<program_image path="program.elf" />
		<map mr="region${index}" vaddr="0x4_000_000" perms="rw" cached="true" setvar_vaddr="base" />
	</protection_domain>`,
	);
	const channels = Array.from(
		{ length: domains - 1 },
		(_, index) => `
	<channel>
		<end pd="domain${index}" id="0" pp="true" />
		<end pd="domain${index + 1}" id="1" />
	</channel>`,
	);
	return `<system>${elements.join('')}${channels.join('')}\n</system>`;
}

for (const domains of [1, 8, 63]) {
	test(`${domains} domains`, async ({ bench }) => {
		const source = description(domains);
		await bench(`read ${domains} domains, ${source.length} characters`, () => {
			readSystem('bench.system', source);
		}).run();
	});
}
