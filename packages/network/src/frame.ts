/**
 * What a switch and its rules see of an Ethernet frame: addresses, type (behind one 802.1Q tag), and of IPv4 and IPv6 the protocol
 * and ports. IEEE 802.3; RFC 791; RFC 8200. A frame is a guest's: whatever it holds, reading it ends.
 */

/** Bytes of the shortest frame that has a header. */
export const FRAME_HEADER = 14;
/** Bytes of the longest frame, without checksum: what virtio-net takes, with a tag. */
export const MOST_FRAME = 65_550;

const TAG = 0x8100;
/** Types of frames. */
export const EtherType = { ipv4: 0x0800, arp: 0x0806, ipv6: 0x86dd } as const;
/** Protocols of IP. */
export const IpProtocol = { icmp: 1, tcp: 6, udp: 17, icmp6: 58 } as const;

/** What rules look at. */
export interface FrameFields {
	/** Of the payload. */
	readonly etherType: number;
	/** Of IP; undefined: it is no (whole) IP packet. */
	readonly protocol: number | undefined;
	/** IPv4 addresses as numbers, also those of ARP; undefined: it has none. */
	readonly source: number | undefined;
	readonly destination: number | undefined;
	/** Of TCP and UDP; undefined: it has none, or is a later fragment. */
	readonly sourcePort: number | undefined;
	readonly destinationPort: number | undefined;
}

/** An address as a number: 48 bits. */
export function addressAt(frame: Uint8Array, offset: number): number {
	let address = 0;
	for (let i = 0; i < 6; i++) address = address * 256 + frame[offset + i]!;
	return address;
}

/** Whether an address is for several: broadcast or multicast. */
export function isGroup(address: number): boolean {
	return (Math.floor(address / 2 ** 40) & 1) === 1;
}

/** Text of an address, as `52:54:00:12:34:56`. */
export function formatAddress(address: number): string {
	const digits = address.toString(16).padStart(12, '0');
	return digits.replace(/(..)(?!$)/g, '$1:');
}

/** Reads what rules look at; the frame has a header. */
export function readFields(frame: Uint8Array): FrameFields {
	const view = new DataView(frame.buffer, frame.byteOffset, frame.byteLength);
	let etherType = view.getUint16(12);
	let at = FRAME_HEADER;
	if (etherType === TAG && frame.length >= FRAME_HEADER + 4) {
		etherType = view.getUint16(16);
		at += 4;
	}
	const bytes = frame.length - at;
	if (etherType === EtherType.ipv4 && bytes >= 20) return readIpv4(view, at);
	if (etherType === EtherType.ipv6 && bytes >= 40)
		return { ...NOTHING, etherType, ...readPorts(view, at + 40, view.getUint8(at + 6)) };
	if (etherType === EtherType.arp && bytes >= 28)
		return { ...NOTHING, etherType, source: view.getUint32(at + 14), destination: view.getUint32(at + 24) };
	return { ...NOTHING, etherType };
}

const NOTHING: FrameFields = {
	etherType: 0,
	protocol: undefined,
	source: undefined,
	destination: undefined,
	sourcePort: undefined,
	destinationPort: undefined,
};

function readIpv4(view: DataView, at: number): FrameFields {
	const length = (view.getUint8(at) & 15) * 4;
	const addresses = { source: view.getUint32(at + 12), destination: view.getUint32(at + 16) };
	const later = (view.getUint16(at + 6) & 0x1fff) !== 0;
	const protocol = view.getUint8(at + 9);
	const ports = later || length < 20 ? { protocol } : readPorts(view, at + length, protocol);
	return { ...NOTHING, etherType: EtherType.ipv4, ...addresses, ...ports };
}

function readPorts(
	view: DataView,
	at: number,
	protocol: number,
): Pick<FrameFields, 'protocol'> & Partial<Pick<FrameFields, 'sourcePort' | 'destinationPort'>> {
	const ports = (protocol === IpProtocol.tcp || protocol === IpProtocol.udp) && view.byteLength >= at + 4;
	return ports ? { protocol, sourcePort: view.getUint16(at), destinationPort: view.getUint16(at + 2) } : { protocol };
}
