/**
 * Firewall rules: plain data, compiled once. The first rule that matches a frame decides. What a rule does not name, it does not
 * look at; what it names, the frame must have: a rule with ports matches no later fragment of a packet.
 */
import { EtherType, type FrameFields, IpProtocol } from './frame.ts';

/** A rule. */
export interface FirewallRule {
	readonly action: 'allow' | 'deny';
	/** Type of the frame. Named types are those of `EtherType`. */
	readonly type?: keyof typeof EtherType | number;
	/** Protocol of IP. Named ones are those of `IpProtocol`. */
	readonly protocol?: keyof typeof IpProtocol | number;
	/** IPv4 addresses: `10.0.0.1` or `10.0.0.0/8`; of ARP, too. */
	readonly source?: string;
	readonly destination?: string;
	/** A port, or the first and last of a range. */
	readonly sourcePort?: number | readonly [number, number];
	readonly destinationPort?: number | readonly [number, number];
}

/** A firewall for one direction of one port. */
export type Firewall = (fields: FrameFields) => boolean;

type Match = (fields: FrameFields) => boolean;

/**
 * Makes a firewall.
 * @param otherwise - for frames that no rule matches
 * @throws RangeError for a rule that cannot be, with its place
 */
export function compileRules(place: string, rules: readonly FirewallRule[], otherwise: 'allow' | 'deny'): Firewall {
	const compiled = rules.map((rule, index) => ({
		allow: actionOf(`${place}[${index}].action`, rule.action),
		match: compileRule(`${place}[${index}]`, rule),
	}));
	const last = actionOf(`${place}: otherwise`, otherwise);
	return (fields) => compiled.find(({ match }) => match(fields))?.allow ?? last;
}

function actionOf(place: string, action: string): boolean {
	if (action !== 'allow' && action !== 'deny')
		throw new RangeError(`${place}: ${JSON.stringify(action)}: allow or deny`);
	return action === 'allow';
}

function compileRule(place: string, rule: FirewallRule): Match {
	const parts: Match[] = [];
	const { type, protocol, source, destination, sourcePort, destinationPort } = rule;
	if (type !== undefined) {
		const wanted = numberOf(`${place}.type`, type, EtherType, 0xffff);
		parts.push(({ etherType }) => etherType === wanted);
	}
	if (protocol !== undefined) {
		const wanted = numberOf(`${place}.protocol`, protocol, IpProtocol, 255);
		parts.push((fields) => fields.protocol === wanted);
	}
	if (source !== undefined) {
		const matches = network(`${place}.source`, source);
		parts.push((fields) => matches(fields.source));
	}
	if (destination !== undefined) {
		const matches = network(`${place}.destination`, destination);
		parts.push((fields) => matches(fields.destination));
	}
	if (sourcePort !== undefined) {
		const matches = ports(`${place}.sourcePort`, sourcePort);
		parts.push((fields) => matches(fields.sourcePort));
	}
	if (destinationPort !== undefined) {
		const matches = ports(`${place}.destinationPort`, destinationPort);
		parts.push((fields) => matches(fields.destinationPort));
	}
	return (fields) => parts.every((matches) => matches(fields));
}

function numberOf(
	place: string,
	value: string | number,
	names: Readonly<Record<string, number>>,
	most: number,
): number {
	const number = typeof value === 'string' ? names[value] : value;
	if (number === undefined || !Number.isInteger(number) || number < 0 || number > most)
		throw new RangeError(`${place}: ${JSON.stringify(value)}: ${Object.keys(names).join(', ')}, or 0 to ${most}`);
	return number;
}

/** Whether an address is in a network. */
function network(place: string, text: string): (address: number | undefined) => boolean {
	const refuse = (): never => {
		throw new RangeError(`${place}: ${JSON.stringify(text)} is no IPv4 address or network, as 10.0.0.0/8`);
	};
	const parts = /^(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})(?:\/(\d{1,2}))?$/.exec(text) ?? refuse();
	const bytes = parts.slice(1, 5).map(Number);
	const prefix = parts[5] === undefined ? 32 : Number(parts[5]);
	if (bytes.some((byte) => byte > 255) || prefix > 32) refuse();
	const size = 2 ** (32 - prefix);
	const first = Math.floor(bytes.reduce((sum, byte) => sum * 256 + byte, 0) / size);
	return (address) => address !== undefined && Math.floor(address / size) === first;
}

function ports(place: string, range: number | readonly [number, number]): (port: number | undefined) => boolean {
	const [first, last] = typeof range === 'number' ? [range, range] : range;
	for (const port of [first, last]) {
		if (!Number.isInteger(port) || port < 0 || port > 65_535) throw new RangeError(`${place}: ${port}: 0 to 65535`);
	}
	if (first > last) throw new RangeError(`${place}: ${first} to ${last}: the first is above the last`);
	return (port) => port !== undefined && port >= first && port <= last;
}
