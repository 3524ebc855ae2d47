// What a description becomes, whatever it comes from; units; drawings; admission that holds.
import * as fc from 'fast-check';
import { describe, expect, expectTypeOf, test } from 'vitest';
import type { SystemDescription } from '../src/description.ts';
import { checkSystem, defineSystem, parseDuration, parseSize, readSystem, systemGraph } from '../src/index.ts';
import type { SystemInput } from '../src/schema.ts';

const description = defineSystem({
	name: 'example',
	machine: { memory: '16MiB' },
	duration: '250ms',
	scheduling: { policy: 'fixed-priority' },
	admission: 'response-time',
	images: {
		kernel: { guest: 'real-time', control: { name: 'control', period: '1ms', work: 100_000 } },
		ping: { guest: 'ping', endpoint: 1 },
		pong: { guest: 'pong', endpoint: 1, reply: 2 },
	},
	cells: [
		{
			name: 'control',
			licence: 'Apache-2.0',
			vm: { image: 'kernel', memory: '4MiB', priority: 200, budget: '0.3ms', period: '1ms' },
			placement: { hypervisor: 'vm', microkernel: 'vm' },
		},
		{
			name: 'pair',
			domains: [
				{ name: 'ping', image: 'ping', priority: 9 },
				{ name: 'pong', image: 'pong', priority: 9, passive: true },
			],
			placement: { hypervisor: 'none', microkernel: 'domains' },
		},
	],
	channels: [
		{ name: 'service', kind: 'endpoint', from: { domain: 'ping', slot: 1 }, to: { domain: 'pong', slot: 1, reply: 2 } },
	],
});

test('units are resolved and defaults filled in', () => {
	const system = checkSystem(description);
	expect(system).toMatchObject({
		machine: { memory: 16 * 2 ** 20, costs: 'u54h' },
		duration: 250_000_000,
		scheduling: { policy: 'fixed-priority', minimumBudget: 1 },
		images: { kernel: { control: { period: 1_000_000, deadline: 1_000_000, samples: 4096 } } },
		compositions: ['hypervisor', 'microkernel'],
	});
	expect(system.cells[0]!.vm).toEqual({
		scheduling: { priority: 200, budget: 300_000, period: 1_000_000 },
		image: 'kernel',
		memory: 4 * 2 ** 20,
		base: 0x8000_0000,
		deviceTree: false,
		devices: [],
		monitor: { priority: 200 },
		reboot: 'restart',
	});
	expect(system.cells[1]!.domains[1]).toEqual({
		name: 'pong',
		scheduling: { priority: 9 },
		image: 'pong',
		stack: 16_384,
		passive: true,
	});
});

test('a system is plain data', () => {
	const system = checkSystem(description);
	expect(JSON.parse(JSON.stringify(system))).toEqual(system);
});

test('TypeScript, JSON and YAML give the same', () => {
	const yaml = `
name: example
machine: { memory: 16MiB }
duration: 250ms
scheduling: { policy: fixed-priority }
admission: response-time
images:
  kernel: { guest: real-time, control: { name: control, period: 1ms, work: 100000 } }
  ping: { guest: ping, endpoint: 1 }
  pong: { guest: pong, endpoint: 1, reply: 2 }
cells:
  - name: control
    licence: Apache-2.0
    vm: { image: kernel, memory: 4MiB, priority: 200, budget: 0.3ms, period: 1ms }
    placement: { hypervisor: vm, microkernel: vm }
  - name: pair
    domains:
      - { name: ping, image: ping, priority: 9 }
      - { name: pong, image: pong, priority: 9, passive: true }
    placement: { hypervisor: none, microkernel: domains }
channels:
  - { name: service, kind: endpoint, from: { domain: ping, slot: 1 }, to: { domain: pong, slot: 1, reply: 2 } }
`;
	const system = checkSystem(description);
	expect(readSystem(JSON.stringify(description, undefined, 2))).toEqual(system);
	expect(readSystem(yaml)).toEqual(system);
});

test('the documented type and the schema have the same keys', () => {
	expectTypeOf<keyof SystemDescription>().toEqualTypeOf<keyof SystemInput>();
	type Cell = SystemDescription['cells'][number];
	type CellInput = SystemInput['cells'][number];
	expectTypeOf<keyof Cell>().toEqualTypeOf<keyof CellInput>();
	expectTypeOf<keyof NonNullable<Cell['vm']>>().toEqualTypeOf<keyof NonNullable<CellInput['vm']>>();
	type Domain = NonNullable<Cell['domains']>[number];
	expectTypeOf<keyof Domain>().toEqualTypeOf<keyof NonNullable<CellInput['domains']>[number]>();
	expectTypeOf<SystemDescription['scheduling']['policy']>().toEqualTypeOf<SystemInput['scheduling']['policy']>();
	type Guest = Extract<SystemDescription['images'][string], { guest: string }>['guest'];
	type GuestInput = Extract<SystemInput['images'][string], { guest: string }>['guest'];
	expectTypeOf<Guest>().toEqualTypeOf<GuestInput>();
});

test('whatever it is given, checking refuses or answers', () => {
	fc.assert(
		fc.property(fc.anything({ withBigInt: true, withDate: true, withNullPrototype: true }), (value) => {
			expect(() => checkSystem(value)).toThrow(expect.objectContaining({ name: 'SystemError' }));
		}),
		{ numRuns: 300 },
	);
});

describe('units', () => {
	test.each<[number | string, number]>([
		[5, 5],
		['1ms', 1e6],
		['0.1ms', 100_000],
		['1.000001 s', 1_000_001_000],
		['250us', 250_000],
		['250µs', 250_000],
	])('%j is a duration', (text, nanos) => {
		expect(parseDuration(text)).toBe(nanos);
	});

	test.each<[number | string, number]>([
		[4096, 4096],
		['0.5KiB', 512],
		['3GiB', 3 * 2 ** 30],
	])('%j is a size', (text, bytes) => {
		expect(parseSize(text)).toBe(bytes);
	});

	test.each([-1, 0.5, Number.NaN, '1e3ms', 'ms', '1 m s', '-1ms', '1MB', '999999999999999s', '1constructor', ''])(
		'%j is neither',
		(value) => {
			expect(parseDuration(value)).toHaveProperty('why');
			expect(parseSize(value)).toHaveProperty('why');
		},
	);
});

describe('drawings', () => {
	test('Mermaid', () => {
		expect(systemGraph(checkSystem(description), 'microkernel', 'mermaid')).toBe(`flowchart LR
	subgraph c0["control"]
		n0["virtual machine, priority 200, 300 of 1000 µs"]
	end
	subgraph c1["pair"]
		n1["ping, priority 9"]
		n2["pong, passive"]
	end
	n1 -->|"service"| n2
`);
	});

	test('Graphviz; what does not exist is not drawn', () => {
		expect(systemGraph(checkSystem(description), 'hypervisor', 'dot')).toBe(`digraph "example as hypervisor" {
	rankdir=LR; node [shape=box];
	subgraph cluster_0 {
		label="control";
		n0 [label="virtual machine, priority 200, 300 of 1000 µs"];
	}
}
`);
	});
});
