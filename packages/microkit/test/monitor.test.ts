// What the monitor prints is what Microkit's prints: its texts are an interface that people read logs by.
import { describe, expect, test } from 'vitest';
import { Monitor, readSystem } from '../src/index.ts';

const { domains } = readSystem(
	'test.system',
	`<system>
		<protection_domain name="first"><program_image path="a.elf"/></protection_domain>
		<protection_domain name="second" passive="true"><program_image path="a.elf"/></protection_domain>
	</system>`,
);

const REGISTERS = Array.from({ length: 32 }, (_, index) => BigInt(index));

/** A monitor, and what it has printed. */
function monitor(): { on: Monitor; printed: string[] } {
	const printed: string[] = [];
	const on = new Monitor(domains, { CapFault: 1, UserException: 3, VMFault: 6 }, (text) => printed.push(text));
	return { on, printed };
}

/** What it prints of a fault, by line. */
function printed(badge: bigint, label: number, words: readonly bigint[]): string[] {
	const { on, printed: texts } = monitor();
	on.received(badge, label, words, REGISTERS);
	return texts.join('').split('\n').slice(0, -1);
}

test('it says that it has started', () => {
	const { on, printed: texts } = monitor();
	on.start();
	expect(texts.join('')).toBe('MON|INFO: Microkit Monitor started!\n');
});

test('a domain is passive, or could not be made so', () => {
	const { on, printed: texts } = monitor();
	on.bound(1, true);
	on.bound(1, false);
	expect(texts).toEqual([
		"MON|INFO: PD 'second' is now passive!\n",
		'MON|ERROR: could not bind scheduling context to notification object\n',
	]);
	expect([on.domainOf(0n), on.domainOf(1n), on.domainOf(2n), on.domainOf(3n)]).toEqual([undefined, 0, 1, undefined]);
});

describe('a fault', () => {
	test('is named, with the registers', () => {
		const lines = printed(1n, 6, [0x20_0010n, 0n, 0n, 15n]);
		expect(lines[0]).toBe(
			'MON|ERROR: received message 0x00000006  badge: 0x0000000000000001  tcb cap: 0x000000000000000a',
		);
		expect(lines[1]).toBe('MON|ERROR: faulting PD: first');
		expect(lines.slice(2, 5)).toEqual(['Registers: ', 'pc : 0x0000000000000000', 'ra : 0x0000000000000001']);
		expect(lines[5]).toBe('s0 : 0x0000000000000004');
		expect(lines.at(-3)).toBe('tp : 0x000000000000001f');
		expect(lines.slice(-2)).toEqual([
			'MON|ERROR: VMFault: ip=0x0000000000200010  fault_addr=0x0000000000000000  fsr=0x000000000000000f  (data fault)',
			'MON|ERROR: description of fault: Store/AMO page fault',
		]);
	});

	test('of memory right below the stack may be an overflow', () => {
		const lines = printed(1n, 6, [0n, 0x3f_ffff_bff0n - 0x1000n, 1n, 99n]);
		expect(lines.slice(-3)).toEqual([
			'MON|ERROR: VMFault: ip=0x0000000000000000  fault_addr=0x0000003fffffaff0  fsr=0x0000000000000063  (instruction fault)',
			'MON|ERROR: description of fault: <Unexpected FSR>',
			'MON|ERROR: potential stack overflow, fault address within one page outside of stack region',
		]);
	});

	test('of a capability says where the lookup ended', () => {
		const last = (kind: bigint): string | undefined => printed(1n, 1, [1n, 2n, 1n, kind, 4n, 5n, 6n]).at(-1);
		const begin =
			'MON|ERROR: CapFault: ip=0x0000000000000001  fault_addr=0x0000000000000002  in_recv_phase=true  lookup_failure_type=';
		expect(last(1n)).toBe(`${begin}seL4_InvalidRoot`);
		expect(last(2n)).toBe(`${begin}seL4_MissingCapability  bits_left=0x0000000000000004`);
		expect(last(3n)).toBe(
			`${begin}seL4_DepthMismatch  bits_left=0x0000000000000004  depth_bits_found=0x0000000000000005`,
		);
		expect(last(4n)).toBe(
			`${begin}seL4_GuardMismatch  bits_left=0x0000000000000004  guard_found=0x0000000000000005  guard_bits_found=0x0000000000000006`,
		);
		expect(last(9n)).toBe(`${begin}0x0000000000000009`);
	});

	test('of other kinds', () => {
		expect(printed(1n, 3, []).at(-1)).toBe('MON|ERROR: UserException');
		expect(printed(1n, 5, []).slice(-2)).toEqual(['MON|ERROR: Unknown fault', '0x0000000000000005']);
	});

	test('of nobody that it knows, or whose registers it cannot read', () => {
		expect(printed(9n, 6, []).at(-1)).toBe('MON|ERROR: unknown/invalid badge');
		const { on, printed: texts } = monitor();
		on.received(1n, 3, [], undefined);
		expect(texts).toContain('MON|ERROR: error reading registers\n');
	});
});
