// The switch: learning, firewall, addresses, rates, hostile frames, state.
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parseAddress, readFields, type SwitchDescription, TokenBucket, VirtualSwitch } from '../src/index.ts';

const MAC = { a: '52:54:00:00:00:0a', b: '52:54:00:00:00:0b', c: '52:54:00:00:00:0c' } as const;
const BROADCAST = 'ff:ff:ff:ff:ff:ff';
type Name = keyof typeof MAC;

function bytesOf(address: string): number[] {
	return address.split(':').map((byte) => Number.parseInt(byte, 16));
}

function frame(from: string, to: string, type = 0x88b5, payload: readonly number[] = [1, 2, 3]): Uint8Array {
	return Uint8Array.from([...bytesOf(to), ...bytesOf(from), type >> 8, type & 0xff, ...payload]);
}

/** An IPv4 packet with the first bytes of TCP or UDP. */
function ip(protocol: number, source: string, destination: string, ports: [number, number], fragment = 0): number[] {
	const address = (text: string): number[] => text.split('.').map(Number);
	const [from, to] = ports;
	return [
		...[0x45, 0, 0, 28, 0, 0, fragment >> 8, fragment & 0xff, 64, protocol, 0, 0],
		...[...address(source), ...address(destination)],
		...[from >> 8, from & 0xff, to >> 8, to & 0xff, 0, 8, 0, 0],
	];
}

function make(
	change: Partial<Record<Name, Partial<SwitchDescription['ports'][number]>>> = {},
	more: Partial<SwitchDescription> = {},
) {
	const got: Record<Name, Uint8Array[]> = { a: [], b: [], c: [] };
	const names = ['a', 'b', 'c'] as const;
	const time = { now: 0, work: 0 };
	const lan = new VirtualSwitch({ name: 'lan', ports: names.map((name) => ({ name, ...change[name] })), ...more });
	lan.link({
		now: () => time.now,
		work: (nanos) => {
			time.work += nanos;
		},
	});
	for (const name of names) {
		lan.port(name).connect((each) => {
			if (got[name].length >= 4) return false;
			got[name].push(each);
			return true;
		});
	}
	return {
		lan,
		got,
		time,
		send: (name: Name, each: Uint8Array): void => lan.port(name).backend.send(each),
		counts: (): number[] => names.map((name) => got[name].length),
	};
}

describe('learning', () => {
	test('frames go everywhere until the address is known, and then to its port only', () => {
		const { send, counts } = make();
		send('a', frame(MAC.a, MAC.b));
		expect(counts()).toEqual([0, 1, 1]);
		send('b', frame(MAC.b, MAC.a));
		expect(counts()).toEqual([1, 1, 1]);
		send('a', frame(MAC.a, MAC.b));
		expect(counts()).toEqual([1, 2, 1]);
		send('b', frame(MAC.b, BROADCAST));
		expect(counts()).toEqual([2, 2, 2]);
		// To itself: nobody else's business.
		send('b', frame(MAC.b, MAC.b));
		expect(counts()).toEqual([2, 2, 2]);
	});

	test('addresses move, and are forgotten', () => {
		const { send, counts, time } = make({}, { ageing: 1000 });
		send('b', frame(MAC.b, BROADCAST));
		send('c', frame(MAC.b, BROADCAST));
		send('a', frame(MAC.a, MAC.b));
		expect(counts()).toEqual([2, 1, 2]);
		time.now = 1000;
		send('a', frame(MAC.a, MAC.b));
		expect(counts()).toEqual([2, 2, 3]);
	});

	test('whoever sends from many addresses does not make the table grow', () => {
		const { lan, send } = make();
		for (let i = 0; i < 3000; i++) {
			const address = `52:54:01:00:${(i >> 8).toString(16).padStart(2, '0')}:${(i & 255).toString(16).padStart(2, '0')}`;
			send('a', frame(address, MAC.c));
		}
		expect(lan.state.addresses).toHaveLength(1024);
		expect(lan.state.addresses.at(-1)![0]).toBe(parseAddress('', '52:54:01:00:0b:b7'));
	});
});

describe('firewalls', () => {
	const tcp = ip(6, '10.0.0.1', '10.0.0.2', [40000, 80]);

	test('the first rule that matches decides; what is denied is counted at its port', () => {
		const { lan, send, counts } = make({
			a: {
				from: [
					{ action: 'deny', protocol: 'tcp', destinationPort: [80, 89] },
					{ action: 'allow', protocol: 'tcp', destination: '10.0.0.0/30' },
				],
				otherwise: 'deny',
			},
		});
		send('a', frame(MAC.a, MAC.b, 0x800, tcp));
		send('a', frame(MAC.a, MAC.b, 0x800, ip(6, '10.0.0.1', '10.0.0.2', [40000, 90])));
		send('a', frame(MAC.a, MAC.b, 0x800, ip(6, '10.0.0.1', '10.0.0.4', [40000, 90])));
		send('a', frame(MAC.a, MAC.b, 0x800, ip(17, '10.0.0.1', '10.0.0.2', [40000, 90])));
		expect(counts()).toEqual([0, 1, 1]);
		expect(lan.statistics('a').lost.denied).toBe(3);
	});

	test('towards a port: others still get the frame', () => {
		const { lan, send, counts } = make({ c: { to: [{ action: 'deny', type: 'ipv4' }] } });
		send('a', frame(MAC.a, BROADCAST, 0x800, tcp));
		send('a', frame(MAC.a, BROADCAST, 0x806));
		expect(counts()).toEqual([0, 2, 1]);
		expect(lan.statistics('c').lost.denied).toBe(1);
		expect(lan.statistics('a').lost.denied).toBe(0);
	});

	test.each<[string, object, Uint8Array, boolean]>([
		['a type by name', { type: 'arp' }, frame(MAC.a, MAC.b, 0x806), true],
		['a type by number', { type: 0x88b5 }, frame(MAC.a, MAC.b), true],
		['behind a tag', { protocol: 'tcp' }, frame(MAC.a, MAC.b, 0x8100, [0, 5, 8, 0, ...tcp]), true],
		['a source port', { sourcePort: 40000 }, frame(MAC.a, MAC.b, 0x800, tcp), true],
		['a source network', { source: '10.0.0.0/24' }, frame(MAC.a, MAC.b, 0x800, tcp), true],
		['any source', { source: '0.0.0.0/0' }, frame(MAC.a, MAC.b, 0x800, tcp), true],
		['another source', { source: '11.0.0.1' }, frame(MAC.a, MAC.b, 0x800, tcp), false],
		[
			'the sender of an ARP',
			{ source: '10.0.0.1' },
			frame(MAC.a, MAC.b, 0x806, [
				0,
				1,
				8,
				0,
				6,
				4,
				0,
				1,
				...bytesOf(MAC.a),
				10,
				0,
				0,
				1,
				0,
				0,
				0,
				0,
				0,
				0,
				10,
				0,
				0,
				2,
			]),
			true,
		],
		[
			'ports of a later fragment',
			{ destinationPort: 80 },
			frame(MAC.a, MAC.b, 0x800, ip(6, '10.0.0.1', '10.0.0.2', [40000, 80], 5)),
			false,
		],
		[
			'the protocol of a later fragment',
			{ protocol: 6 },
			frame(MAC.a, MAC.b, 0x800, ip(6, '10.0.0.1', '10.0.0.2', [40000, 80], 5)),
			true,
		],
		['a packet that is cut off', { protocol: 'tcp' }, frame(MAC.a, MAC.b, 0x800, tcp.slice(0, 19)), false],
		['ports that are cut off', { destinationPort: 80 }, frame(MAC.a, MAC.b, 0x800, tcp.slice(0, 23)), false],
		[
			'IPv6',
			{ protocol: 'udp', destinationPort: 53 },
			frame(MAC.a, MAC.b, 0x86dd, [0x60, 0, 0, 0, 0, 8, 17, 64, ...Array(32).fill(0), 1, 2, 0, 53]),
			true,
		],
	])('a rule on %s', (_, rule, each, matches) => {
		const { send, counts } = make({ a: { from: [{ action: 'deny', ...rule }] } });
		send('a', each);
		expect(counts()).toEqual(matches ? [0, 0, 0] : [0, 1, 1]);
	});

	test.each<[string, object, RegExp]>([
		['an action that is none', { action: 'drop' }, /ports\[0\].from\[0\].action: "drop": allow or deny/],
		['a type that is none', { type: 'ipx' }, /from\[0\].type: "ipx": ipv4, arp, ipv6, or 0 to 65535/],
		['a protocol that is none', { protocol: 256 }, /from\[0\].protocol: 256/],
		['an address that is none', { source: '10.0.0.256' }, /from\[0\].source: "10.0.0.256" is no IPv4 address/],
		['a prefix that is none', { destination: '10.0.0.0/33' }, /from\[0\].destination/],
		['a port that is none', { destinationPort: 70000 }, /from\[0\].destinationPort: 70000/],
		['a range that is none', { sourcePort: [9, 8] }, /from\[0\].sourcePort: 9 to 8/],
	])('%s is refused', (_, rule, reason) => {
		expect(() => make({ a: { from: [{ action: 'deny', ...rule }] } })).toThrow(reason);
	});
});

describe('addresses of a port', () => {
	test('others are lost, and not learned', () => {
		const { lan, send, counts } = make({ a: { addresses: [MAC.a] } });
		send('a', frame(MAC.b, MAC.c));
		send('a', frame(BROADCAST, MAC.c));
		expect(counts()).toEqual([0, 0, 0]);
		send('a', frame(MAC.a, MAC.c));
		expect(counts()).toEqual([0, 1, 1]);
		expect(lan.statistics('a').lost.spoofed).toBe(2);
		expect(lan.state.addresses).toHaveLength(1);
	});

	test.each(['52:54:00:00:00', '01:00:5e:00:00:01', ''])('%j is refused', (address) => {
		expect(() => make({ a: { addresses: [address] } })).toThrow(/ports\[0\].addresses/);
	});
});

describe('rates', () => {
	test('what is sent beyond it is lost; over any time, no more than the rate and the burst pass', () => {
		const { lan, send, time, got } = make({ a: { limit: { bytesPerSecond: 1_000_000, burst: 2000 } } });
		const each = frame(MAC.a, MAC.b, 0x88b5, Array(986).fill(0));
		let passed = 0;
		for (time.now = 0; time.now <= 100_000_000; time.now += 333_333) {
			send('a', each);
			passed += got.b.splice(0).length;
			got.c.length = 0;
		}
		// 100 ms: 100,000 bytes and 2,000 at once.
		expect(passed).toBe(101);
		expect(lan.statistics('a').lost.limited).toBe(301 - 101);
	});

	test('a bucket gains nothing by being asked often', () => {
		fc.assert(
			fc.property(
				fc.integer({ min: 1, max: 10_000_000 }),
				fc.array(fc.record({ gap: fc.nat(1_000_000), bytes: fc.nat(3000) }), { maxLength: 200 }),
				(bytesPerSecond, asks) => {
					const bucket = new TokenBucket('test', { bytesPerSecond, burst: 3000 });
					let now = 0;
					let sent = 0;
					for (const { gap, bytes } of asks) {
						now += gap;
						if (bucket.take(bytes, now)) sent += bytes;
						expect(sent).toBeLessThanOrEqual(3000 + Math.floor((now * bytesPerSecond) / 1e9));
					}
				},
			),
		);
	});

	test.each([
		[{ bytesPerSecond: 0, burst: 1 }, /limit.bytesPerSecond: 0/],
		[{ bytesPerSecond: 1, burst: 0.5 }, /limit.burst: 0.5/],
	])('%j is refused', (limit, reason) => {
		expect(() => make({ a: { limit } })).toThrow(reason);
	});
});

describe('hostile frames', () => {
	test('of any bytes and length are passed on whole, or lost', () => {
		const { send, got, lan } = make({ a: { from: [{ action: 'deny', protocol: 'tcp' }] } });
		fc.assert(
			fc.property(fc.uint8Array({ maxLength: 100 }), fc.nat(0xffff), (bytes, type) => {
				const each = bytes.length >= 14 ? bytes : bytes.slice();
				if (each.length >= 14) {
					each[12] = type >> 8;
					each[13] = type & 0xff;
				}
				send('a', each);
				for (const name of ['b', 'c'] as const) for (const taken of got[name].splice(0)) expect(taken).toEqual(each);
				if (each.length >= 14) expect(() => readFields(each)).not.toThrow();
			}),
			{ numRuns: 500 },
		);
		expect(got.a).toEqual([]);
		expect(lan.statistics('a').framesIn).toBe(500);
	});

	test('too short, too long: malformed', () => {
		const { send, lan, counts } = make();
		for (const length of [0, 13, 70_000]) send('a', new Uint8Array(length));
		expect(lan.statistics('a').lost.malformed).toBe(3);
		expect(counts()).toEqual([0, 0, 0]);
	});

	test('for who has no room, or is not there: refused, and nobody waits', () => {
		const { send, lan } = make();
		for (let i = 0; i < 6; i++) send('a', frame(MAC.a, BROADCAST));
		expect(lan.statistics('b')).toMatchObject({ framesOut: 4, lost: { refused: 2 } });
	});
});

describe('state', () => {
	test('goes on, in another switch', () => {
		const change = { a: { limit: { bytesPerSecond: 1000, burst: 100 } } };
		const first = make(change);
		first.send('b', frame(MAC.b, BROADCAST));
		first.send('a', frame(MAC.a, MAC.b));
		const saved = structuredClone(first.lan.state);
		const second = make(change);
		second.lan.restore(saved);
		expect(second.lan.state).toEqual(saved);
		second.send('a', frame(MAC.a, MAC.b));
		expect(second.counts()).toEqual([0, 1, 0]);
		for (let i = 0; i < 10; i++) second.send('a', frame(MAC.a, MAC.b));
		expect(second.lan.statistics('a').lost.limited).toBe(7);
	});

	test('of another switch is refused', () => {
		const { lan } = make();
		const saved = lan.state;
		const other = new VirtualSwitch({ name: 'other', ports: [{ name: 'a' }] });
		expect(() => other.restore(saved)).toThrow(/switch other: the state is another's/);
		expect(() => lan.restore({ ...saved, addresses: [[1, 9, 0]] })).toThrow(/another's/);
		expect(() => make({ a: { limit: { bytesPerSecond: 1, burst: 1 } } }).lan.restore(saved)).toThrow(/another's/);
	});
});

test('frames are observed as they come and go', () => {
	const seen: string[] = [];
	const { send } = make({}, { onFrame: (port, direction) => seen.push(`${port} ${direction}`) });
	send('a', frame(MAC.a, BROADCAST));
	expect(seen).toEqual(['a in', 'b out', 'c out']);
});

test('work is told: computing, and copies in and out', () => {
	const { send, time } = make();
	send('a', frame(MAC.a, BROADCAST, 0x88b5, Array(986).fill(0)));
	// 125 words in, and out twice; one look, three firewalls.
	expect(time.work).toBe(200 + 3 * 100 + 3 * 125 * 6);
});

test('names that are not there, and descriptions that cannot be', () => {
	const { lan } = make();
	expect(() => lan.port('x')).toThrow(/switch lan has no port "x"/);
	expect(() => lan.statistics('x')).toThrow(/switch lan has no port "x"/);
	expect(() => new VirtualSwitch({ name: 's', ports: [{ name: 'a' }, { name: 'a' }] })).toThrow(/ports\[1\].name: "a"/);
	expect(() => new VirtualSwitch({ name: 's', ports: [], ageing: 0 })).toThrow(/ageing: 0/);
});
