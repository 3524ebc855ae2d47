// One test for each kind of description that is refused: the place, and what the message says. The kinds are those that
// Microkit 2.3 refuses on this board (its manual, "System Description File").
import { describe, expect, test } from 'vitest';
import { MicrokitError, readSystem } from '../src/index.ts';

/** `@@` before an element marks where the message must point. */
function refused(source: string): MicrokitError {
	const at = source.indexOf('@@');
	const text = source.replace('@@', '');
	const before = text.slice(0, Math.max(at, 0)).split('\n');
	try {
		readSystem('test.system', text, (name) =>
			name === 'empty.bin' ? new Uint8Array() : name === 'full.bin' ? new Uint8Array(5000) : undefined,
		);
	} catch (error) {
		if (!(error instanceof MicrokitError)) throw error;
		if (at >= 0) expect(error.place).toEqual({ line: before.length, column: before.at(-1)!.length + 1 });
		expect(error.message).toContain(
			error.place ? `test.system:${error.place.line}:${error.place.column}: ` : 'test.system: ',
		);
		return error;
	}
	throw new Error('it is accepted');
}

const image = '<program_image path="p.elf"/>';
/** A system with these elements beside two domains, `low` (priority 1) and `high` (priority 2). */
const beside = (elements: string): string => `<system>
	<protection_domain name="low" priority="1">${image}</protection_domain>
	<protection_domain name="high" priority="2">${image}</protection_domain>
	${elements}
</system>`;
/** A domain with these attributes and elements. */
const domain = (attributes: string, elements = image): string =>
	`<system>\n\t@@<protection_domain name="d" ${attributes}>${elements}</protection_domain>\n</system>`;
/** A domain with these elements beside its program; a region `r` of two small pages. */
const inside = (elements: string): string => `<system>
	<memory_region name="r" size="0x2000"/>
	<memory_region name="large" size="0x200000" page_size="0x200000"/>
	<protection_domain name="d">
		${image}
		${elements}
	</protection_domain>
</system>`;
const region = (attributes: string): string => beside(`@@<memory_region ${attributes}/>`);
const channel = (ends: string, attributes = ''): string => beside(`@@<channel${attributes}>${ends}</channel>`);
const end = (attributes: string): string => beside(`<channel>@@<end ${attributes}/><end pd="high" id="0"/></channel>`);
const domains = (elements: string, rest = ''): string =>
	`<system>\n\t${elements}\n\t<protection_domain name="d" domain="one">${image}</protection_domain>${rest}\n</system>`;
const entries = (schedule: string): string => domains(`<domains><domain name="one" id="1"/>${schedule}</domains>`);

const cases: Readonly<Record<string, Readonly<Record<string, readonly [source: string, says: string]>>>> = {
	'the file': {
		'no XML': ['<system>', 'it is no XML'],
		'an end tag that does not fit': ['<system><a></b></system>', 'it is no XML'],
		'an attribute without quotes': ['<system a=1/>', 'it is no XML'],
		'an attribute twice': ['<system a="1" a="2"/>', 'it is no XML'],
		'nothing in it': ['', 'it is no XML'],
		'a comment without an end': ['<system/>\n@@<!-- ', 'the comment has no end'],
		'a document type': ['@@<!DOCTYPE system>\n<system/>', 'document types are not read'],
		'an entity of its own': ['<system a="@@&b;"/>', 'no known entity'],
		'another element': ['@@<robot/>', 'must be <system>'],
		'two elements': ['<system/>@@<system/>', 'stands after <system>'],
		text: ['@@<system>hello</system>', 'text is not allowed in <system>'],
		'text in a domain': [domain('', `${image} hello`), 'text is not allowed in <protection_domain>'],
		'text after an element': [
			beside('<memory_region name="r" size="0x1000"/>here').replace('<system>', '@@<system>'),
			'text is not allowed',
		],
		'elements too deep': [`<system>${'<a>'.repeat(500)}${'</a>'.repeat(500)}</system>`, 'it is no XML'],
		'an element that does not belong': [beside('@@<thing/>'), '<thing> does not belong in <system>'],
		'names that JavaScript uses': [beside('@@<memory_region name="r" toString="1"/>'), "toString'"],
		'names that could harm JavaScript': ['<system __proto__="1"/>', 'it is no XML'],
	},
	'protection domains': {
		none: ['@@<system/>', 'there is no <protection_domain>'],
		'more than 63': [
			`<system>${`<protection_domain name="a">${image}</protection_domain>`.repeat(63)}@@<protection_domain name="b">${image}</protection_domain></system>`,
			'at most 63',
		],
		'an unknown attribute': [domain('foo="1"'), "no attribute 'foo'"],
		'no name': [`<system>@@<protection_domain>${image}</protection_domain></system>`, "'name' is missing"],
		'the same name': [
			beside(`@@<protection_domain name="low">${image}</protection_domain>`),
			"another protection domain 'low' at line 2",
		],
		"the monitor's name": [
			beside(`@@<protection_domain name="monitor">${image}</protection_domain>`),
			'choose another',
		],
		'a priority too large': [domain('priority="255"'), 'priority is 255, and must be within 0 to 254'],
		'a priority that is no number': [domain('priority="high"'), "priority is 'high'"],
		'a negative priority': [domain('priority="-1"'), "priority is '-1'"],
		'a budget larger than the period': [domain('budget="1000" period="100"'), 'must not be larger'],
		'a budget that is too small': [domain('budget="19"'), 'budget is 0x13'],
		'passive neither true nor false': [domain('passive="yes"'), "'true' or 'false'"],
		'fpu neither true nor false': [domain('fpu="1"'), "'true' or 'false'"],
		'a stack too small': [domain('stack_size="0"'), 'stack_size is 0x0'],
		'a stack too large': [domain('stack_size="0x1001000"'), 'stack_size is 0x1001000'],
		'a stack of no whole pages': [domain('stack_size="0x4001"'), 'multiple of 4096'],
		smc: [domain('smc="true"'), 'Arm only'],
		'a processor that is not there': [domain('cpu="1"'), 'cpu is 1'],
		'a domain without a schedule': [domain('domain="one"'), 'needs a <domains>'],
		'an id without a parent': [domain('id="1"'), "no attribute 'id'"],
		'no program image': [domain('', ''), '<program_image> is missing'],
		'two program images': [inside('@@<program_image path="q.elf"/>'), 'a domain has one'],
		'a program image without a path': [
			`<system><protection_domain name="d">@@<program_image/></protection_domain></system>`,
			"'path' is missing",
		],
		'an unknown attribute of a program image': [
			`<system><protection_domain name="d">@@<program_image path="a" foo="b"/></protection_domain></system>`,
			"no attribute 'foo'",
		],
		'an element that does not belong': [inside('@@<thing/>'), '<thing> does not belong in <protection_domain>'],
		'a virtual machine': [inside('@@<virtual_machine name="v"><vcpu id="0"/></virtual_machine>'), 'hypervisor'],
		'a virtual machine of nobody': [beside('@@<virtual_machine name="v"/>'), 'must be in a protection domain'],
		'an I/O port': [inside('@@<ioport id="0" addr="0" size="1"/>'), 'x86 only'],
		'I/O address spaces': [beside('@@<io_address_space name="i"/>'), 'IOMMU'],
	},
	children: {
		'no id': [inside(`@@<protection_domain name="c">${image}</protection_domain>`), "'id' is missing"],
		'an id too large': [inside(`@@<protection_domain name="c" id="62">${image}</protection_domain>`), 'within 0 to 61'],
		'the same id': [
			inside(
				`<protection_domain name="c" id="1">${image}</protection_domain>@@<protection_domain name="e" id="1">${image}</protection_domain>`,
			),
			"another child's",
		],
		'a variable that is set already': [
			inside(
				`<map mr="r" vaddr="0x1000" setvar_size="v"/>@@<protection_domain name="c" id="1" setvar_id="v">${image}</protection_domain>`,
			),
			"'v' of 'd' is set at line 6",
		],
	},
	mappings: {
		'an unknown attribute': [inside('@@<map mr="r" vaddr="0" foo="1"/>'), "no attribute 'foo'"],
		'no region': [inside('@@<map vaddr="0"/>'), "'mr' is missing"],
		'a region that is not there': [inside('@@<map mr="s" vaddr="0"/>'), "no memory region 's'"],
		'no address': [inside('@@<map mr="r"/>'), "'vaddr' is missing"],
		'an address of no page': [inside('@@<map mr="r" vaddr="0x801"/>'), 'multiple of the page size'],
		'an address of no large page': [inside('@@<map mr="large" vaddr="0x1000"/>'), 'multiple of the page size'],
		'an address too high': [inside('@@<map mr="r" vaddr="0x1000000000000000"/>'), 'vaddr is 0x1000000000000000'],
		'an end in the stack': [inside('@@<map mr="r" vaddr="0x3fffffa000"/>'), 'the stack'],
		'rights that there are not': [inside('@@<map mr="r" vaddr="0" perms="rq"/>'), "made of 'r', 'w' and 'x'"],
		'write without read': [inside('@@<map mr="r" vaddr="0" perms="w"/>'), 'without being readable'],
		'cached neither true nor false': [inside('@@<map mr="r" vaddr="0" cached="no"/>'), "'true' or 'false'"],
		overlaps: [inside('<map mr="large" vaddr="0x200000"/>@@<map mr="r" vaddr="0x201000"/>'), "overlaps 'large'"],
		'a variable set twice': [
			inside('<setvar symbol="v" region_paddr="r"/>@@<map mr="r" vaddr="0" setvar_vaddr="v"/>'),
			'already',
		],
		'the prefill size of a region that is not filled': [
			inside('@@<map mr="r" vaddr="0" setvar_prefill_size="v"/>'),
			'no prefill_path',
		],
	},
	interrupts: {
		'an unknown attribute': [inside('@@<irq irq="1" id="1" foo="1"/>'), "no attribute 'foo'"],
		'no id': [inside('@@<irq irq="1"/>'), "'id' is missing"],
		'no number': [inside('@@<irq id="1"/>'), "'irq' is missing"],
		'an id too large': [inside('@@<irq irq="1" id="62"/>'), 'within 0 to 61'],
		'a negative id': [inside('@@<irq irq="1" id="-1"/>'), 'within 0 to 61'],
		'an id in hexadecimal': [inside('@@<irq irq="1" id="0x1"/>'), 'a decimal number'],
		'an interrupt that the board does not have': [inside('@@<irq irq="96" id="1"/>'), 'within 1 to 95'],
		'a trigger that there is not': [inside('@@<irq irq="1" id="1" trigger="rising"/>'), "'level' or 'edge'"],
		'an I/O APIC pin': [inside('@@<irq pin="1" id="1" vector="1"/>'), 'x86 only'],
		'an MSI': [inside('@@<irq pcidev="0:0.0" id="1" handle="0" vector="1"/>'), 'x86 only'],
		'the same number twice': [
			inside('<irq irq="1" id="1"/><irq irq="1" id="2"/>').replace('<protection_domain', '@@<protection_domain'),
			"interrupt 1 of 'd'",
		],
		'the same id twice': [
			inside('<irq irq="1" id="1"/><irq irq="2" id="1"/>').replace('<protection_domain', '@@<protection_domain'),
			'two interrupts with id 1',
		],
	},
	variables: {
		'no symbol': [inside('@@<setvar region_paddr="r"/>'), "'symbol' is missing"],
		'no region': [inside('@@<setvar symbol="v"/>'), "'region_paddr' is missing"],
		'a region that is not there': [inside('@@<setvar symbol="v" region_paddr="s"/>'), "no memory region 's'"],
		'an unknown attribute': [inside('@@<setvar symbol="v" region_paddr="r" foo="1"/>'), "no attribute 'foo'"],
		'set twice': [
			inside('<setvar symbol="v" region_paddr="r"/>@@<setvar symbol="v" region_paddr="r"/>'),
			"'v' of 'd' is set",
		],
	},
	'capabilities of others': {
		'two spaces': [inside('<cspace/>@@<cspace/>'), 'a domain has one'],
		'an unknown attribute of the space': [inside('@@<cspace foo="1"/>'), "no attribute 'foo'"],
		'a kind that there is not': [
			inside('<cspace>@@<cap_ep pd="d" slot="1"/></cspace>'),
			'<cap_ep> does not belong in <cspace>',
		],
		'an unknown attribute': [inside('<cspace>@@<cap_tcb pd="d" slot="1" foo="1"/></cspace>'), "no attribute 'foo'"],
		'no domain': [inside('<cspace>@@<cap_tcb slot="1"/></cspace>'), "'pd' is missing"],
		'a domain that is not there': [inside('<cspace>@@<cap_tcb pd="e" slot="1"/></cspace>'), "no domain 'e'"],
		'no slot': [inside('<cspace>@@<cap_tcb pd="d"/></cspace>'), "'slot' is missing"],
		'slot 0': [inside('<cspace>@@<cap_tcb pd="d" slot="0"/></cspace>'), "the domain's own CNode"],
		'a slot too large': [inside('<cspace>@@<cap_tcb pd="d" slot="128"/></cspace>'), 'within 0 to 127'],
		'a slot twice': [
			inside('<cspace><cap_tcb pd="d" slot="1"/>@@<cap_sc pd="d" slot="1"/></cspace>'),
			'slot 1 is taken',
		],
	},
	'memory regions': {
		'an unknown attribute': [region('name="r" size="0x1000" page_count="1"'), "no attribute 'page_count'"],
		'no name': [region('size="0x1000"'), "'name' is missing"],
		'the same name': [
			beside('<memory_region name="r" size="0x1000"/>@@<memory_region name="r" size="0x1000"/>'),
			"another memory region 'r'",
		],
		'no size': [region('name="r"'), "'size' is missing"],
		'a size that is no number': [region('name="r" size="0x200_000sd"'), "size is '0x200_000sd'"],
		'a size of no whole pages': [region('name="r" size="0x1001"'), 'multiple of the page size'],
		'no bytes': [region('name="r" size="0"'), 'multiple of the page size'],
		'a page size that there is not': [region('name="r" size="0x4000" page_size="0x4000"'), 'page_size is 0x4000'],
		'an address of no page': [
			region('name="r" size="0x200000" page_size="0x200000" phys_addr="0x201000"'),
			'multiple of the page size',
		],
		'an end that no memory has': [
			region('name="r" size="0x1000" phys_addr="0xfffffffffffff000"'),
			'phys_addr is 0xfffffffffffff000',
		],
		'overlaps in physical memory': [
			beside(
				'<memory_region name="a" size="0x2000" phys_addr="0x9000000"/>@@<memory_region name="b" size="0x1000" phys_addr="0x9001000"/>',
			),
			"overlaps 'a'",
		],
		'a file that is not there': [region('name="r" prefill_path="none.bin"'), 'in no folder'],
		'an empty file': [region('name="r" prefill_path="empty.bin"'), 'is empty'],
		'a file that is too large': [region('name="r" size="0x1000" prefill_path="full.bin"'), 'has 5000 bytes'],
		'boot information that there is not': [region('name="r" prefill_bootinfo="moon"'), "prefill_bootinfo is 'moon'"],
		"boot information of another board's": [region('name="r" prefill_bootinfo="x86_tsc_freq"'), "only 'fdt'"],
		'filled twice': [region('name="r" size="0x2000" prefill_path="full.bin" prefill_bootinfo="fdt"'), 'filled once'],
	},
	channels: {
		'an attribute': [channel('<end pd="low" id="0"/><end pd="high" id="0"/>', ' foo="1"'), "no attribute 'foo'"],
		'one end': [channel('<end pd="low" id="0"/>'), 'it has 1 <end>'],
		'three ends': [channel('<end pd="low" id="0"/><end pd="high" id="0"/><end pd="high" id="1"/>'), 'it has 3 <end>'],
		'another element': [
			beside('<channel>@@<ending pd="low" id="0"/></channel>'),
			'<ending> does not belong in <channel>',
		],
		'an unknown attribute of an end': [end('pd="low" id="0" foo="1"'), "no attribute 'foo'"],
		'an end without a domain': [end('id="0"'), "'pd' is missing"],
		'an end without an id': [end('pd="low"'), "'id' is missing"],
		'a domain that is not there': [end('pd="middle" id="0"'), "no domain 'middle'"],
		'an id too large': [end('pd="low" id="62"'), 'within 0 to 61'],
		'a negative id': [end('pd="low" id="-1"'), 'within 0 to 61'],
		'pp neither true nor false': [end('pd="low" id="0" pp="no"'), "'true' or 'false'"],
		'notify neither true nor false': [end('pd="low" id="0" notify="no"'), "'true' or 'false'"],
		'calls both ways': [
			channel('<end pd="low" id="0" pp="true"/><end pd="high" id="0" pp="true"/>'),
			'only one of two ends',
		],
		'calls downwards': [
			channel('<end pd="low" id="0"/><end pd="high" id="0" pp="true"/>'),
			'only domains of higher priority',
		],
		'an id twice': [
			beside(
				'<channel><end pd="low" id="0"/><end pd="high" id="0"/></channel>@@<channel><end pd="low" id="1"/><end pd="high" id="0"/></channel>',
			),
			"id 0 of 'high'",
		],
		"an interrupt's id": [
			inside('<irq irq="1" id="0"/>').replace(
				'</system>',
				`\t<protection_domain name="e">${image}</protection_domain>@@<channel><end pd="d" id="0"/><end pd="e" id="0"/></channel></system>`,
			),
			"id 0 of 'd'",
		],
		'a variable that is set already': [
			beside('<channel><end pd="low" id="0" setvar_id="v"/>@@<end pd="low" id="1" setvar_id="v"/></channel>'),
			"'v' of 'low'",
		],
	},
	'the schedule of domains': {
		'two of them': [
			domains(
				'<domains><domain name="one"/><domain_schedule><schedule_entry domain="one" duration="1 us"/></domain_schedule></domains>@@<domains/>',
			),
			'a system has one',
		],
		'no schedule': [domains('@@<domains><domain name="one"/></domains>'), '<domain_schedule> is missing'],
		'two schedules': [
			entries('<domain_schedule><schedule_end_marker/></domain_schedule>@@<domain_schedule/>'),
			'there may be one',
		],
		'another element': [entries('@@<thing/>'), '<thing> does not belong in <domains>'],
		'a name twice': [entries('@@<domain name="one"/>'), 'another domain of that name'],
		'an id twice': [entries('@@<domain name="two" id="1"/>'), "id 1 is that of 'one'"],
		'an id too large': [entries('@@<domain name="two" id="16"/>'), 'within 0 to 15'],
		'too many domains': [
			domains(
				`@@<domains>${Array.from({ length: 17 }, (_, i) => `<domain name="${i}"/>`).join('')}<domain_schedule/></domains>`,
			),
			'more than 16',
		],
		'no entries': [entries('@@<domain_schedule/>'), 'no entries'],
		'too many entries': [
			entries(`@@<domain_schedule>${'<schedule_end_marker/>'.repeat(100)}</domain_schedule>`),
			'less than 100',
		],
		'a start that is no entry': [
			entries('@@<domain_schedule start_index="1"><schedule_end_marker/></domain_schedule>'),
			'start_index is 1',
		],
		'a shift beyond the table': [
			entries('@@<domain_schedule index_shift="99"><schedule_end_marker/></domain_schedule>'),
			'index_shift is 99',
		],
		'another element in it': [
			entries('<domain_schedule>@@<thing/></domain_schedule>'),
			'<thing> does not belong in <domain_schedule>',
		],
		'an attribute of the end': [
			entries('<domain_schedule>@@<schedule_end_marker a="1"/></domain_schedule>'),
			"no attribute 'a'",
		],
		'an entry of no domain': [
			entries('<domain_schedule>@@<schedule_entry domain="two" duration="1 us"/></domain_schedule>'),
			"no domain 'two'",
		],
		'a duration without a unit': [
			entries('<domain_schedule>@@<schedule_entry domain="one" duration="1000"/></domain_schedule>'),
			'with a unit',
		],
		'a duration in another unit': [
			entries('<domain_schedule>@@<schedule_entry domain="one" duration="10 km"/></domain_schedule>'),
			'with a unit',
		],
		'no duration': [
			entries('<domain_schedule>@@<schedule_entry domain="one" duration="0 us"/></domain_schedule>'),
			'duration is 0x0',
		],
		'a domain of none': [
			`<system><domains><domain name="one"/><domain_schedule><schedule_end_marker/></domain_schedule></domains>@@<protection_domain name="d">${image}</protection_domain></system>`,
			"'domain' is missing",
		],
		'a domain that is not declared': [
			`<system><domains><domain name="one"/><domain_schedule><schedule_end_marker/></domain_schedule></domains>@@<protection_domain name="d" domain="two">${image}</protection_domain></system>`,
			"'two' is not in <domains>",
		],
	},
};

for (const [about, kinds] of Object.entries(cases)) {
	describe(about, () => {
		for (const [kind, [source, says]] of Object.entries(kinds)) {
			test(kind, () => {
				expect(refused(source).why).toContain(says);
			});
		}
	});
}

test('a file that is too long', () => {
	expect(refused(`<system>${' '.repeat(5 << 20)}</system>`).why).toContain('characters');
});
