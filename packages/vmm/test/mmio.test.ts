// Loads and stores to devices: every form, judged by what the same instructions do on memory; and those that are refused.
import { Slot } from '@partita/cpu';
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { VirtualDeviceDescription } from '../src/index.ts';
import { decodeAccess } from '../src/mmio.ts';
import { BASE, MEMORY, run, x } from './support/host.ts';

const DEVICE = 0x1000_0000;

interface Access {
	readonly kind: 'read' | 'write';
	readonly offset: number;
	readonly size: number;
	readonly value: number;
}

/** 64 bytes of memory as a device, and what was done to it. */
function scratch(bytes = new Uint8Array(64)): {
	description: VirtualDeviceDescription;
	log: Access[];
	bytes: Uint8Array;
} {
	const log: Access[] = [];
	const view = new DataView(bytes.buffer);
	return {
		log,
		bytes,
		description: {
			name: 'scratch',
			base: DEVICE,
			size: 64,
			create: () => ({
				state: undefined,
				restore: () => {},
				read: (offset, size) => {
					const value =
						size === 1
							? view.getUint8(offset)
							: size === 2
								? view.getUint16(offset, true)
								: view.getUint32(offset, true);
					log.push({ kind: 'read', offset, size, value });
					return value;
				},
				write: (offset, size, value) => {
					log.push({ kind: 'write', offset, size, value });
					if (size === 1) view.setUint8(offset, value);
					else if (size === 2) view.setUint16(offset, value, true);
					else view.setUint32(offset, value, true);
				},
			}),
		},
	};
}

const END = 'li a7, 8\necall\n';
const PATTERN = Uint8Array.from({ length: 64 }, (_, i) => (i * 37 + 0x85) & 0xff);

describe('loads', () => {
	const forms = ['lb', 'lbu', 'lh', 'lhu', 'lw', 'lwu', 'ld', 'c.lw', 'c.ld', 'flw', 'fld', 'c.fld'] as const;

	test.each(forms)('%s gives what it gives from memory, and goes behind the instruction', (name) => {
		const float = name.includes('f');
		const to = float ? 'fa0' : 'a0';
		const { description, log } = scratch(PATTERN.slice());
		const { host, result } = run(
			`.option rvc
			li t0, 0x2000
			csrs sstatus, t0
			la a1, 2f
			li a2, ${DEVICE}
			${name} ${to}, 8(a1)
			${float ? 'fmv.x.d s0, fa0' : 'mv s0, a0'}
			${name} ${to}, 8(a2)
			${float ? 'fmv.x.d s1, fa0' : 'mv s1, a0'}
			${END}
			.balign 8
		2:	.byte ${Array.from(PATTERN.subarray(0, 32)).join(', ')}`,
			{ devices: [description] },
		);
		expect(result).toMatchObject({ reason: 'ended' });
		expect(x(host, 9)).toBe(x(host, 8));
		expect(x(host, 8)).not.toBe(0n);
		expect(host.machine.exits).toMatchObject({ mmioLoad: 1, mmioStore: 0, sbi: 1, invalidAccess: 0 });
		expect(log.map(({ offset }) => offset)).toEqual(name.endsWith('d') ? [8, 12] : [8]);
	});

	test('into x0 reads the device and changes nothing', () => {
		const { description, log } = scratch(PATTERN.slice());
		const { host } = run(`li a2, ${DEVICE}\nlw x0, 0(a2)\n${END}`, { devices: [description] });
		expect(log).toHaveLength(1);
		expect(x(host, 0)).toBe(0n);
	});
});

describe('stores', () => {
	test.each(['sb', 'sh', 'sw', 'sd', 'c.sw', 'c.sd', 'fsw', 'fsd', 'c.fsd'] as const)(
		'%s stores what it stores to memory',
		(name) => {
			const { description, bytes } = scratch();
			const float = name.includes('f');
			const from = float ? 'fa0' : 'a0';
			const { host, result } = run(
				`.option rvc
			li t0, 0x2000
			csrs sstatus, t0
			li a0, 0x8192a3b4c5d6e7f8
			fmv.d.x fa0, a0
			la a1, 2f
			li a2, ${DEVICE}
			${name} ${from}, 16(a1)
			${name} ${from}, 16(a2)
			ld s0, 16(a1)
			${END}
			.balign 8
		2:	.zero 32`,
				{ devices: [description] },
			);
			expect(result).toMatchObject({ reason: 'ended' });
			expect(new DataView(bytes.buffer).getBigUint64(16, true)).toBe(x(host, 8));
			expect(host.machine.exits).toMatchObject({ mmioLoad: 0, mmioStore: 1, invalidAccess: 0 });
			// Floating-point stores do not make the guest's state dirty, and loads do.
			expect(host.work.get('mmioEmulation')).toBe(1);
		},
	);
});

describe('accesses that no device can take', () => {
	/** Ends with the cause in s1, the value in s2, the pc's offset from the label `access` in s3. */
	const trapping = (access: string): string => `
		la t0, 9f
		csrw stvec, t0
		li a2, ${DEVICE}
		la s3, 1f
		j 1f
	9:	csrr s1, scause
		csrr s2, stval
		csrr t0, sepc
		sub s3, t0, s3
		${END}
		.balign 4
	1:	${access}
		${END}`;

	test.each([
		['misaligned', 'lw a0, 2(a2)', 5n, 2],
		['misaligned store', 'sd a0, 4(a2)', 7n, 4],
		['beyond the end', 'ld a0, 60(a2)', 5n, 60],
		['atomic', 'amoadd.w a0, a1, (a2)', 7n, 0],
		['load-reserved', 'lr.w a0, (a2)', 5n, 0],
		['where there is nothing', 'lw a0, 64(a2)', 5n, 64],
		['where there is nothing, a store', 'sb a0, 64(a2)', 7n, 64],
	])('%s: an access fault of the guest', (_, access, cause, offset) => {
		const { description, log } = scratch();
		const { host, result } = run(trapping(access), { devices: [description] });
		expect(result).toMatchObject({ reason: 'ended' });
		expect([x(host, 9), x(host, 18), x(host, 19)]).toEqual([cause, BigInt(DEVICE + offset), 0n]);
		expect(log).toEqual([]);
		expect(host.machine.exits.invalidAccess).toBe(1);
	});

	test('a jump to a device is an instruction access fault', () => {
		const { description } = scratch();
		const { host } = run(trapping('jr a2').replace('sub s3, t0, s3', 'mv s3, t0'), { devices: [description] });
		expect([x(host, 9), x(host, 18), x(host, 19)]).toEqual([1n, BigInt(DEVICE), BigInt(DEVICE)]);
	});

	test('a page table where there is no memory is a load access fault', () => {
		const { description } = scratch();
		// Sv39, root table at the device.
		const { host } = run(
			trapping(`li t0, (8 << 60) | (${DEVICE} >> 12)
			csrw satp, t0
			lw a0, 0(a2)`).replace('sub s3, t0, s3', 'csrw satp, x0'),
			{ devices: [description] },
		);
		// Its trap handler cannot be fetched either: the machine is stopped instead of trapping for ever.
		expect(host.machine.ending).toMatchObject({ reason: 'fault', detail: expect.stringMatching(/trap handler/) });
	});

	test('with `invalidAccess: stop` the machine ends, and says where', () => {
		const { result, host } = run('li a2, 0x5000\nlw a0, 0x123(a2)', { invalidAccess: 'stop' });
		expect(result).toMatchObject({ reason: 'ended', ending: { code: 1 } });
		expect(host.machine.ending).toMatchObject({
			reason: 'fault',
			detail: 'access to guest physical address 0x5123, where there is nothing, at pc 0x80000004',
		});
	});

	test('memory outside its own is not there for the guest', () => {
		const { host } = run(trapping(`li a2, ${BASE + MEMORY}\nld a0, 0(a2)`).replace('li a2, 268435456', ''), {});
		expect(x(host, 9)).toBe(5n);
		expect(x(host, 18)).toBe(BigInt(BASE + MEMORY));
	});
});

test('a load into a floating-point register makes the state dirty', () => {
	const { description } = scratch(PATTERN.slice());
	const { host } = run(
		`li t0, 0x2000
		csrs sstatus, t0
		li a2, ${DEVICE}
		flw fa0, 0(a2)
		csrr s0, sstatus
		${END}`,
		{ devices: [description] },
	);
	expect(x(host, 8) & 0x6000n).toBe(0x6000n);
	expect(host.machine.vcpus[0]!.words[Slot.f + 10]! >> 32n).toBe(0xffff_ffffn);
});

test('whatever htinst says, decoding ends in an access of 1 to 8 bytes or in none', () => {
	fc.assert(
		fc.property(fc.bigInt(0n, 2n ** 64n - 1n), (instruction) => {
			const access = decodeAccess(instruction);
			if (access) expect(access.bytes).toBeOneOf([1, 2, 4, 8]);
		}),
		{ numRuns: 2000 },
	);
});
