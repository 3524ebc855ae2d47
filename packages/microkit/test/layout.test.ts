// What descriptions and programs become: the whole of a system as data, and programs that are refused.
import { assemble, programToElf } from '@partita/riscv';
import { describe, expect, test } from 'vitest';
import { layoutSystem, MicrokitError, type RegionMemory, readSystem, type SystemLayout } from '../src/index.ts';
import { BASE, filesOf, program, variable } from './support.ts';

/** Memory from 2 GiB on, as far as `bytes`; a UART at 0x10000000. */
function memory(bytes = 64 << 20): RegionMemory {
	let next = 0x8000_0000;
	const end = next + bytes;
	return {
		allocate(size, alignment) {
			const address = Math.ceil(next / alignment) * alignment;
			if (address + size > end) return undefined;
			next = address + size;
			return address;
		},
		claim: (address, size) => address === 0x1000_0000 && size === 0x1000,
	};
}

function layout(source: string, files: Readonly<Record<string, Uint8Array>>, bytes?: number): SystemLayout {
	return layoutSystem(readSystem('test.system', source, filesOf(files)), filesOf(files), memory(bytes));
}

const SYSTEM = `<?xml version="1.0" encoding="UTF-8"?>
<!-- a server above two clients, one of which restarts the other -->
<system>
	<memory_region name="uart" size="0x1_000" phys_addr="0x1000_0000"/>
	<memory_region name="ring" size="0x3000" prefill_path="ring.bin"/>
	<memory_region name="buffer" size="0x400_000"/>
	<protection_domain name="server" priority="200" passive="true" budget="5_000" period="20000" stack_size="0x4000">
		<program_image path="server.elf"/>
		<map mr="uart" vaddr="0x2_000_000" cached="false" setvar_vaddr="uart_base"/>
		<map mr="ring" vaddr="0x3000000" perms="r" setvar_size="ring_size" setvar_prefill_size="ring_used"/>
		<irq irq="10" id="7" trigger="edge" setvar_id="uart_irq"/>
		<setvar symbol="buffer_physical" region_paddr="buffer"/>
	</protection_domain>
	<protection_domain name="parent" priority="100" fpu="false">
		<program_image path="plain.elf"/>
		<map mr="buffer" vaddr="0x4000000"/>
		<cspace><cap_sc pd="child" slot="1"/><cap_vspace pd="parent" slot="5"/></cspace>
		<protection_domain name="child" id="3"><program_image path="plain.elf"/></protection_domain>
	</protection_domain>
	<channel><end pd="parent" id="0" pp="true"/><end pd="server" id="4" notify="false" setvar_id="parent_channel"/></channel>
	<channel><end pd="child" id="1"/><end pd="server" id="5"/></channel>
</system>`;

const VARIABLES = ['uart_base', 'ring_size', 'ring_used', 'uart_irq', 'buffer_physical', 'parent_channel'];
const FILES = {
	'server.elf': program(undefined, VARIABLES.map((name) => variable(name, 8)).join('\n')),
	'plain.elf': program(),
	'ring.bin': Uint8Array.of(1, 2, 3),
};

/** The words that a domain's variables are set to, in the order in which they are set. */
function words(system: SystemLayout, domain: number): bigint[] {
	return system.domains[domain]!.program.patches.filter(({ bytes }) => bytes.length === 8).map(({ bytes }) =>
		new DataView(bytes.buffer).getBigUint64(0, true),
	);
}

describe('a system', () => {
	const system = layout(SYSTEM, FILES);
	const [server, parent, child] = system.domains;

	test('domains stand in the order of the file, parents first, and start in that of their names', () => {
		expect(system.domains.map(({ description }) => description.name)).toEqual(['server', 'parent', 'child']);
		expect(system.order.map((index) => system.domains[index]!.description.name)).toEqual(['child', 'parent', 'server']);
		expect(server!.description).toMatchObject({ priority: 200, budget: 5000, period: 20000, stackSize: 0x4000 });
		expect(parent!.description).toMatchObject({
			priority: 100,
			budget: 1000,
			period: 1000,
			fpu: false,
			passive: false,
		});
		expect(child!.description).toMatchObject({ priority: 0, fpu: true, parent: 1, childId: 3 });
	});

	test('regions have the largest pages that fit, and memory', () => {
		expect(
			system.regions.map(({ description, physicalAddress }) => [
				description.name,
				description.pageSize,
				physicalAddress,
			]),
		).toEqual([
			['uart', 0x1000, 0x1000_0000],
			['ring', 0x1000, 0x8040_0000],
			['buffer', 0x20_0000, 0x8000_0000],
		]);
	});

	test('a called domain receives at its endpoint, its callers name it with their channel', () => {
		expect(server!.hasEndpoint).toBe(true);
		expect(server!.capabilities).toEqual([
			{ slot: 1, kind: 'endpoint', of: 0, badge: 0n },
			{ slot: 2, kind: 'endpoint', of: 'monitor', badge: 1n },
			{ slot: 3, kind: 'vspace', of: 0 },
			{ slot: 4, kind: 'reply', of: 0 },
			{ slot: 5, kind: 'endpoint', of: 'monitor', badge: 1n },
			{ slot: 10 + 5, kind: 'notification', of: 2, badge: 1n << 1n },
			{ slot: 138 + 7, kind: 'irq', of: 0, irq: 10, trigger: 'edge', badge: 1n << 7n },
		]);
		expect(server!.fault).toEqual({ endpoint: 'monitor', badge: 1n });
	});

	test('a parent has its children, and gets their faults', () => {
		expect(parent!.capabilities).toEqual([
			{ slot: 1, kind: 'endpoint', of: 1, badge: 0n },
			{ slot: 2, kind: 'endpoint', of: 'monitor', badge: 2n },
			{ slot: 3, kind: 'vspace', of: 1 },
			{ slot: 4, kind: 'reply', of: 1 },
			{ slot: 10, kind: 'notification', of: 0, badge: 1n << 4n },
			{ slot: 74, kind: 'endpoint', of: 0, badge: (1n << 63n) | 4n },
			{ slot: 202 + 3, kind: 'tcb', of: 2 },
		]);
		expect(parent!.rootCapabilities).toEqual([
			{ slot: 1, kind: 'sc', of: 2 },
			{ slot: 5, kind: 'vspace', of: 1 },
		]);
		expect(child!.fault).toEqual({ endpoint: 1, badge: (1n << 62n) | 3n });
		expect(child!.hasEndpoint).toBe(false);
		expect(child!.capabilities[0]).toEqual({ slot: 1, kind: 'notification', of: 2, badge: 0n });
	});

	test('programs have their variables set', () => {
		const patches = server!.program.patches;
		expect(new TextDecoder().decode(patches[0]!.bytes)).toBe('server');
		expect(patches[1]!.bytes).toEqual(Uint8Array.of(1));
		// microkit_irqs, microkit_notifications, microkit_pps; then what the description sets, in its order.
		expect(words(system, 0)).toEqual([1n << 7n, 1n << 5n, 0n, 0x200_0000n, 0x3000n, 3n, 7n, 0x8000_0000n, 4n]);
		expect(words(system, 1)).toEqual([0n, 1n, 1n]);
		expect(words(system, 2)).toEqual([0n, 2n, 0n]);
	});

	test('programs are where they were linked', () => {
		expect(child!.program.entry).toBe(Number(BASE));
		expect(child!.program.segments).toMatchObject([
			{ vaddr: 0x20_0000, size: 4, read: true, write: false, execute: true },
			{ vaddr: 0x20_1000, size: 0x60, read: true, write: true, execute: false },
		]);
	});

	test('regions that nobody maps are warned of', () => {
		const text = SYSTEM.replace('<system>', '<system>\n<memory_region name="spare" size="0x1000"/>');
		expect(layout(text, FILES).description.warnings).toEqual(["test.system:4:1: nobody maps memory region 'spare'"]);
	});
});

test('the schedule of domains: names without an id get the smallest that is free', () => {
	const { schedule, domains } = readSystem(
		'test.system',
		`<system>
			<domains>
				<domain name="a" id="0"/><domain name="b"/><domain name="c" id="1"/><domain name="d"/>
				<domain_schedule start_index="1" index_shift="4">
					<schedule_entry domain="d" duration="6_000 us"/>
					<schedule_entry domain="b" duration="0x10 ticks"/>
					<schedule_end_marker/>
				</domain_schedule>
			</domains>
			<protection_domain name="p" domain="d"><program_image path="p.elf"/></protection_domain>
		</system>`,
	);
	expect(schedule).toEqual({
		names: new Map(Object.entries({ a: 0, b: 2, c: 1, d: 3 })),
		entries: [{ domain: 3, duration: 6000, unit: 'us' }, { domain: 2, duration: 16, unit: 'ticks' }, 'end'],
		start: 1,
		shift: 4,
	});
	expect(domains[0]!.schedulerDomain).toBe(3);
});

test('names of 64 bytes fill their variable, longer ones are cut', () => {
	const name = 'é'.repeat(40);
	const source = `<system><protection_domain name="${name}"><program_image path="plain.elf"/></protection_domain></system>`;
	expect(layout(source, FILES).domains[0]!.program.patches[0]!.bytes).toEqual(new TextEncoder().encode('é'.repeat(32)));
});

test('programs of Microkit 2.0 say where their IPC buffer is', () => {
	const source = '<system><protection_domain name="d"><program_image path="p.elf"/></protection_domain></system>';
	const at = (address: string): Uint8Array =>
		program(undefined, `	.globl __sel4_ipc_buffer_obj\n	.equ __sel4_ipc_buffer_obj, ${address}`);
	expect(layout(source, { 'p.elf': FILES['plain.elf'] }).domains[0]!.program.ipcBuffer).toBe(0x3f_ffff_e000);
	expect(layout(source, { 'p.elf': at('0x300000') }).domains[0]!.program.ipcBuffer).toBe(0x30_0000);
	for (const address of ['0x300800', '0x201000', '0x4000000000'])
		expect(() => layout(source, { 'p.elf': at(address) })).toThrow('is no free page');
});

test('symbols may come from another file', () => {
	const stripped = programToElf(
		assemble('	.text\n	.globl _start\n_start:\n	j .\n	.bss\n	.balign 4096\n	.zero 96\n', { base: BASE }),
	);
	const source =
		'<system><protection_domain name="d"><program_image path="s.elf" path_for_symbols="plain.elf"/></protection_domain></system>';
	expect(layout(source, { ...FILES, 's.elf': stripped }).domains[0]!.program.patches[0]!.vaddr).toBe(0x20_1000);
});

describe('programs that are refused', () => {
	const one = (map = '', attributes = ''): string =>
		`<system>\n<memory_region name="r" size="0x2000"/>\n<protection_domain name="d" ${attributes}>\n<program_image path="p.elf"/>\n${map}</protection_domain></system>`;
	const why = (source: string, elf: Uint8Array | undefined, bytes?: number): string => {
		try {
			layout(source, elf ? { 'p.elf': elf } : {}, bytes);
		} catch (error) {
			if (error instanceof MicrokitError) return error.message;
			throw error;
		}
		throw new Error('it is accepted');
	};
	const linked = (source: string): Uint8Array => programToElf(assemble(source, { base: BASE }));

	test('one that is not there', () => {
		expect(why(one(), undefined)).toBe("test.system:3:1: program 'p.elf' of 'd' is in no folder of the search path");
	});
	test('one that is no ELF file', () => {
		expect(why(one(), Uint8Array.of(1, 2, 3))).toContain(
			"test.system:3:1: program 'p.elf' of 'd': ELF file, offset 0x0",
		);
	});
	test('one without libmicrokit', () => {
		expect(why(one(), linked('_start:\n	j .\n'))).toContain("no symbol 'microkit_name'");
	});
	test('one with another libmicrokit, whose variables are smaller', () => {
		const small = linked(
			`_start:\n	j .\n	.bss\n	.balign 4096\n${variable('microkit_name', 64)}\n${variable('microkit_passive', 1)}\n${variable('microkit_irqs', 4)}`,
		);
		expect(why(one(), small)).toContain("'microkit_irqs' has 4 bytes, and must have at least 8");
	});
	test('one without a variable that is set', () => {
		expect(why(one('<map mr="r" vaddr="0x1000" setvar_vaddr="v"/>'), program())).toContain("no symbol 'v'");
	});
	test('one with a variable of another size', () => {
		const elf = program(undefined, variable('v', 4));
		expect(why(one('<map mr="r" vaddr="0x1000" setvar_vaddr="v"/>'), elf)).toContain("'v' has 4 bytes");
	});
	test('one whose segments overlap a mapping', () => {
		expect(why(one('<map mr="r" vaddr="0x200000"/>'), program())).toContain(
			"test.system:5:1: 'r' overlaps the segment at 0x200000",
		);
	});
	test('one whose segments share a page', () => {
		const elf = linked('_start:\n	j .\n	.data\n	.dword 1\n');
		expect(why(one(), elf)).toContain('share a page');
	});
	test('one that reaches into the stack', () => {
		const elf = programToElf(assemble('_start:\n	j .\n	.zero 0x3000\n', { base: 0x3f_ffff_8000n }));
		expect(why(one(), elf)).toContain('the stack begins at 0x3fffffb000');
	});
	test('one that starts outside of itself', () => {
		const elf = program();
		new DataView(elf.buffer, elf.byteOffset).setBigUint64(24, 0x30_0000n, true);
		expect(why(one(), elf)).toContain('its entry, 0x300000, is in no segment');
	});
	test('memory that there is not', () => {
		expect(why(one(), program(), 0x1000)).toContain("test.system:2:1: memory region 'r': there are no 8192 bytes left");
		expect(why(one().replace('size="0x2000"', 'size="0x2000" phys_addr="0x90000000"'), program())).toContain(
			"'r': 0x90000000 to 0x90002000 is no device's, nor free memory",
		);
	});
});
