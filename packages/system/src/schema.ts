/**
 * The shape of a description: keys, types, units and ranges, one value at a time. What depends on two values is in
 * checks.ts. Durations and sizes come out as numbers; defaults are filled in.
 */
import * as v from 'valibot';
import { type Path, type Problem, placeOf } from './problems.ts';
import { parseDuration, parseSize } from './units.ts';

const MIB = 2 ** 20;
const RAM_BASE = 0x8000_0000;
/** Bytes of RAM that the boards' memory map has room for, and that fits into a host's WebAssembly memory. */
const MOST_RAM = 3 * 2 ** 30;
const TICK = 100;
/** Most virtual time: the clock ends at 2^53 - 1 ns. */
const MOST_DURATION = 9e15;

/** What a message of this schema carries: why, and what to do. */
const says = (reason: string, advice: string): string => `${reason}\n${advice}`;

const name = v.pipe(
	v.string(),
	v.regex(/^[A-Za-z][\w-]{0,62}$/, (issue) =>
		says(`${issue.received} is no name`, 'begin with a letter; letters, digits, - and _ follow, 63 characters in all'),
	),
);

function integer(least: number, most: number) {
	return v.pipe(
		v.number(),
		v.check(
			(value) => Number.isSafeInteger(value) && value >= least && value <= most,
			(issue) => says(`${issue.received} is out of range`, `a whole number from ${least} to ${most}`),
		),
	);
}

function quantity(
	parse: (value: number | string) => number | { readonly why: string },
	least: number,
	most: number,
	advice: string,
) {
	return v.pipe(
		v.union([v.number(), v.string()], 'it is neither a number nor text with a unit\nsuch as 1ms, or 64MiB'),
		v.rawTransform(({ dataset, addIssue, NEVER }) => {
			const result = parse(dataset.value);
			if (typeof result !== 'number') addIssue({ message: says(result.why, advice) });
			else if (result >= least && result <= most) return result;
			else addIssue({ message: says(`${JSON.stringify(dataset.value)} is out of range`, advice) });
			return NEVER;
		}),
	);
}

const duration = quantity(parseDuration, 1, MOST_DURATION, "a duration from 1ns to 104 days, such as '1ms'");

function multiple(schema: ReturnType<typeof quantity>, unit: number, unitName: string) {
	return v.pipe(
		schema,
		v.check(
			(value) => value % unit === 0,
			() => says(`it is no multiple of ${unitName}`, `round it to a multiple of ${unitName}`),
		),
	);
}

const ticks = multiple(duration, TICK, '100 ns, a tick of the timer');
const pages = (least: number, most: number, advice: string) =>
	multiple(quantity(parseSize, least, most, advice), 4096, '4 KiB');

const taskName = v.pipe(
	v.string(),
	v.regex(/^[\x20-\x7e]{1,16}$/, () => says('it is no name of a task', '1 to 16 printable ASCII characters')),
);
const work = integer(2, 2 ** 40);
const busyTask = v.strictObject({ name: taskName, work });
const task = v.strictObject({
	name: taskName,
	period: ticks,
	work,
	deadline: v.optional(ticks),
	samples: v.optional(integer(1, 1_000_000), 4096),
});
const slot = integer(1, 255);

const guest = v.variant(
	'guest',
	[
		v.strictObject({ guest: v.literal('real-time'), control: task, background: v.optional(busyTask) }),
		v.strictObject({ guest: v.literal('periodic'), task }),
		v.strictObject({ guest: v.literal('busy'), task: busyTask }),
		v.strictObject({ guest: v.literal('ping'), endpoint: slot }),
		v.strictObject({ guest: v.literal('pong'), endpoint: slot, reply: slot }),
	],
	() => says('there is no such guest', 'one of real-time, periodic, busy, ping and pong; or name a file'),
);
const file = v.strictObject({
	file: v.pipe(
		v.string(),
		v.nonEmpty(() => says('the name is empty', 'name a file')),
	),
});
const image = v.lazy((input) => (typeof input === 'object' && input !== null && 'file' in input ? file : guest));

const scheduling = {
	priority: integer(0, 255),
	budget: v.optional(duration),
	period: v.optional(duration),
	slice: v.optional(duration),
};
const address = integer(0, 2 ** 41 - 1);
const device = v.strictObject({
	kind: v.picklist(['uart', 'plic']),
	address,
	interrupt: v.optional(integer(1, 95)),
});
const vm = v.strictObject({
	...scheduling,
	image: v.string(),
	memory: pages(4096, MOST_RAM, "a size from 4KiB to 3GiB, such as '8MiB'"),
	base: v.optional(address, RAM_BASE),
	deviceTree: v.optional(v.boolean()),
	append: v.optional(v.string()),
	initrd: v.optional(v.string()),
	devices: v.optional(v.array(device), []),
	monitor: v.optional(v.strictObject(scheduling)),
	reboot: v.optional(v.picklist(['restart', 'stop']), 'restart'),
});
const domain = v.strictObject({
	name,
	...scheduling,
	image: v.string(),
	stack: v.optional(quantity(parseSize, 0, 256 * MIB, "a size up to 256MiB, such as '16KiB'"), 16 * 1024),
	passive: v.optional(v.boolean(), false),
});
const cell = v.strictObject({
	name,
	about: v.optional(v.string()),
	licence: v.optional(v.string()),
	vm: v.optional(vm),
	domains: v.optional(v.array(domain), []),
	placement: v.strictObject({
		hypervisor: v.optional(v.picklist(['vm', 'none'])),
		microkernel: v.optional(v.picklist(['vm', 'domains', 'none'])),
	}),
});
const badge = integer(0, Number.MAX_SAFE_INTEGER);
const channel = v.strictObject({
	name,
	kind: v.picklist(['endpoint', 'notification']),
	from: v.strictObject({ domain: v.string(), slot, badge: v.optional(badge, 0) }),
	to: v.strictObject({ domain: v.string(), slot, reply: v.optional(slot) }),
});
const minimumBudget = v.optional(duration, 1);
const policy = v.variant(
	'policy',
	[
		v.strictObject({ policy: v.literal('fixed-priority'), slice: v.optional(duration), minimumBudget }),
		v.strictObject({ policy: v.literal('round-robin'), slice: duration, minimumBudget }),
	],
	() => says('there is no such policy', 'one of fixed-priority and round-robin'),
);

const system = v.strictObject({
	name,
	about: v.optional(v.string()),
	machine: v.strictObject({
		memory: pages(MIB, MOST_RAM, "a size from 1MiB to 3GiB, such as '64MiB'"),
		costs: v.optional(v.picklist(['u54h', 'u54', 'free']), 'u54h'),
	}),
	duration: v.optional(duration, 1e9),
	scheduling: policy,
	admission: v.optional(v.picklist(['none', 'utilisation', 'response-time']), 'none'),
	images: v.record(name, image),
	cells: v.pipe(
		v.array(cell),
		v.nonEmpty(() => says('there is no cell', 'describe at least one')),
	),
	channels: v.optional(v.array(channel), []),
});

/** What the schema takes; `SystemDescription` is the same with its documentation. */
export type SystemInput = v.InferInput<typeof system>;

/** A description whose values are in range, one by one. */
export type ShapedSystem = v.InferOutput<typeof system>;

/** The description with its units and defaults resolved, or all that is wrong with its shape. */
export function shape(
	description: unknown,
): { readonly system: ShapedSystem } | { readonly problems: readonly Problem[] } {
	// To valibot a list is an object, of which everything is missing.
	if (Array.isArray(description))
		return { problems: [{ place: '', reason: 'it is a list', advice: `make it ${WORDS.Object}` }] };
	const result = v.safeParse(system, description);
	if (result.success) return { system: result.output };
	return { problems: result.issues.map(problemOf) };
}

function problemOf(issue: v.InferIssue<typeof system>): Problem {
	const path: Path = (issue.path ?? []).map(({ key }) => key as string | number);
	const place = placeOf(path);
	const [reason, advice] = issue.message.split('\n');
	if (advice !== undefined) return { place, reason: reason!, advice };
	const last = JSON.stringify(path.at(-1));
	if (issue.expected === 'never')
		return { place, reason: `${last} is not known here`, advice: 'check how it is spelled, or leave it out' };
	if (issue.received === 'undefined') return { place, reason: 'it is missing', advice: `add ${last}` };
	return { place, reason: `it is ${issue.received}`, advice: `make it ${wanted(issue.expected)}` };
}

const WORDS: Readonly<Record<string, string>> = {
	string: 'text',
	number: 'a number',
	boolean: 'true or false',
	Array: 'a list',
	Object: 'a mapping',
};

/** What valibot expects, in words: a type, or one of some literals. */
function wanted(expected: string | null): string {
	if (expected === null) return 'something else';
	return WORDS[expected] ?? expected.replace(/^\((.*)\)$/, '$1').replaceAll(' | ', ' or ');
}
