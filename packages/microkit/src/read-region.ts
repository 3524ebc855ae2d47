/** Memory regions of a description: `<memory_region>`. */
import type { MemoryRegion, Prefill } from './description.ts';
import type { Element } from './element.ts';
import { PAGE, PAGE_SIZES, PHYSICAL_TOP } from './target.ts';

/** A file of the description's, by the name that it uses; undefined if there is none. */
export type FileSource = (name: string) => Uint8Array | undefined;

/** A region, and whether its page size may be chosen. */
export interface OpenRegion extends MemoryRegion {
	readonly pageSizeGiven: boolean;
}

/** What boot information holds on this board; the others are x86's. */
const BOOT_INFORMATION = ['fdt', 'x86_vbe', 'x86_mbmmap', 'x86_acpi_rsdp', 'x86_framebuffer', 'x86_tsc_freq'];

/** Reads a region. */
export function readRegion(xml: Element, files: FileSource): OpenRegion {
	const element = xml.allowing('name', 'size', 'page_size', 'phys_addr', 'prefill_path', 'prefill_bootinfo');
	const name = element.required('name');
	const given = element.optionalNumber('page_size', { from: 0, to: PHYSICAL_TOP });
	const pageSize = given ?? PAGE;
	if (!PAGE_SIZES.some((size) => size === pageSize))
		element.fail(
			`page_size is 0x${pageSize.toString(16)}, and must be ${PAGE_SIZES.map((size) => `0x${size.toString(16)}`).join(' or ')}`,
		);
	const prefill = readPrefill(element, files);
	const size = readSize(element, pageSize, prefill);
	const physicalAddress = element.optionalNumber('phys_addr', { from: 0, to: PHYSICAL_TOP - size });
	if (physicalAddress !== undefined && physicalAddress % pageSize !== 0)
		element.fail(
			`phys_addr is 0x${physicalAddress.toString(16)}, and must be a multiple of the page size, 0x${pageSize.toString(16)}`,
		);
	return { name, size, pageSize, pageSizeGiven: given !== undefined, physicalAddress, prefill, place: element.place };
}

function readPrefill(element: Element, files: FileSource): Prefill | undefined {
	const path = element.optional('prefill_path');
	const information = element.optional('prefill_bootinfo');
	if (path !== undefined && information !== undefined)
		element.fail('prefill_path and prefill_bootinfo are both there, and a region is filled once');
	if (information !== undefined) {
		if (!BOOT_INFORMATION.includes(information))
			element.fail(`prefill_bootinfo is '${information}', and must be one of ${BOOT_INFORMATION.join(', ')}`);
		if (information !== 'fdt') element.fail(`there is no boot information '${information}' on RISC-V, only 'fdt'`);
		return { kind: 'devicetree' };
	}
	if (path === undefined) return undefined;
	const bytes = files(path);
	if (!bytes) return element.fail(`prefill_path '${path}' is in no folder of the search path`);
	if (bytes.length === 0) element.fail(`the file '${path}' is empty`);
	return { kind: 'file', bytes };
}

function readSize(element: Element, pageSize: number, prefill: Prefill | undefined): number {
	const size = element.optionalNumber('size', { from: 0, to: PHYSICAL_TOP });
	if (size === undefined) {
		if (!prefill) return element.fail("the attribute 'size' is missing, and nothing fills the region");
		return prefill.kind === 'file' ? Math.ceil(prefill.bytes.length / pageSize) * pageSize : pageSize;
	}
	if (size === 0 || size % pageSize !== 0)
		element.fail(`size is 0x${size.toString(16)}, and must be a multiple of the page size, 0x${pageSize.toString(16)}`);
	if (prefill?.kind === 'file' && prefill.bytes.length > size)
		element.fail(`the file that fills it has ${prefill.bytes.length} bytes, and the region ${size}`);
	return size;
}
