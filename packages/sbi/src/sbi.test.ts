// Expected values: RISC-V SBI 2.0. What calls do to a real hart is tested where harts are: in machine, and in vmm.
import { describe, expect, test } from 'vitest';
import { ExtensionId, Sbi, type SbiFence, type SbiHart } from './index.ts';

function hosted(harts: number, hypervisor = false) {
	const log: string[] = [];
	const fences: SbiFence[] = [];
	const pending = new Set<number>();
	const ports = Array.from({ length: harts }, (_, id): SbiHart & { waiting: boolean; retired: bigint } => ({
		retired: 10n,
		waiting: false,
		setTimer: (time) => log.push(`${id}: timer ${time}`),
		raiseSoftware: () => pending.add(id),
		clearSoftware: () => pending.delete(id),
		fence: (fence) => fences.push(fence),
		start: (pc, opaque) => log.push(`${id}: start ${pc.toString(16)} ${opaque}`),
		suspend(resume) {
			this.waiting = true;
			log.push(`${id}: suspend ${resume?.pc.toString(16)}`);
		},
	}));
	const sbi = new Sbi({
		harts: ports,
		hypervisor,
		memory: { read: (address) => address >= 0x1000 && address < 0x2000, write: () => true },
		console: { write: (bytes) => log.push(`print ${[...bytes]}`), read: () => Uint8Array.of(65) },
		reset: (type, failure) => log.push(`${type} ${failure}`),
	});
	sbi.initialise(0);
	const call = (hart: number, extension: number, id: number, ...args: bigint[]) => {
		const registers = new BigUint64Array(8);
		registers.set(args);
		registers[6] = BigInt(id);
		registers[7] = BigInt(extension);
		return sbi.call(hart, registers) ? [BigInt.asIntN(64, registers[0]!), registers[1]] : undefined;
	};
	return { sbi, call, log, fences, pending, ports };
}

test('probe answers for what is there', () => {
	const { call } = hosted(1);
	for (const id of Object.values(ExtensionId)) {
		expect(call(0, ExtensionId.BASE, 3, BigInt(id))).toEqual([0n, id === ExtensionId.PMU ? 0n : 1n]);
	}
	expect(call(0, ExtensionId.PMU, 0)).toEqual([-2n, 0n]);
});

test('an extension that the host adds', () => {
	const { ports } = hosted(1);
	const sbi = new Sbi(
		{
			harts: ports,
			hypervisor: false,
			memory: { read: () => true, write: () => true },
			console: { write: () => {}, read: () => new Uint8Array(0) },
			reset: () => {},
		},
		[[0x0900_0000, (_machine, { function: id, args }) => ({ error: 0n, value: BigInt(id) + args[0]! })]],
	);
	const registers = BigUint64Array.of(5n, 0n, 0n, 0n, 0n, 0n, 2n, 0x0900_0000n);
	expect(sbi.call(0, registers)).toBe(true);
	expect([...registers.subarray(0, 2)]).toEqual([0n, 7n]);
	registers.set([0x0900_0000n, 0n, 0n, 0n, 0n, 0n, 3n, 0x10n]);
	sbi.call(0, registers);
	expect(registers[1]).toBe(1n);
});

describe('fences', () => {
	test('without the hypervisor extension, those for guests are not supported', () => {
		const { call, fences } = hosted(2);
		for (const id of [3, 4, 5, 6]) expect(call(0, ExtensionId.RFENCE, id, 1n, 0n, 0n, 0n)).toEqual([-2n, 0n]);
		expect(call(0, ExtensionId.RFENCE, 2, 3n, 0n, 0x1800n, 0x1000n, 7n)).toEqual([0n, 0n]);
		// Pages 0x1000 and 0x2000, on both harts.
		expect(fences).toHaveLength(4);
		expect(fences[1]).toEqual({ kind: 'vma', address: 0x2000n, id: 7n, caller: 0 });
	});

	test('with it, they are', () => {
		const { call, fences } = hosted(1, true);
		expect(call(0, ExtensionId.RFENCE, 3, 1n, 0n, 0n, 0n, 0xffffn)).toEqual([0n, 0n]);
		expect(fences).toEqual([{ kind: 'gvma', address: undefined, id: 0x3fffn, caller: 0 }]);
	});
});

test('states of harts: start, suspend, wake, stop; they travel in the state', () => {
	const { sbi, call, log, ports } = hosted(2);
	expect([sbi.isRunning(0), sbi.isRunning(1), sbi.isRunning(2)]).toEqual([true, false, false]);
	expect(call(0, ExtensionId.HSM, 0, 1n, 0x3000n, 9n)).toEqual([-5n, 0n]);
	expect(call(0, ExtensionId.HSM, 0, 1n, 0x1000n, 9n)).toEqual([0n, 0n]);
	expect(call(1, ExtensionId.HSM, 3, 0x8000_0000n, 0x1004n, 0n)).toBeUndefined();
	expect(log).toEqual(['1: start 1000 9', '1: suspend 1004']);
	expect(call(0, ExtensionId.HSM, 2, 1n)).toEqual([0n, 4n]);
	const saved = structuredClone(sbi.state);
	ports[1]!.waiting = false;
	expect(call(0, ExtensionId.HSM, 2, 1n)).toEqual([0n, 0n]);
	expect(call(1, ExtensionId.HSM, 1)).toBeUndefined();
	expect(sbi.isRunning(1)).toBe(false);
	sbi.restore(saved);
	expect(sbi.isRunning(1)).toBe(true);
	for (const damaged of [
		{ harts: [] },
		{ harts: [null, null] },
		{ harts: [{ stopped: 1, suspendedAt: 0n }, saved.harts[1]] },
	])
		expect(() => sbi.restore(damaged as never)).toThrow(RangeError);
});

test('interprocessor interrupts pass over harts that are stopped', () => {
	const { call, pending } = hosted(3);
	call(0, ExtensionId.HSM, 0, 2n, 0x1000n, 0n);
	expect(call(0, ExtensionId.IPI, 0, 0n, 0xffff_ffff_ffff_ffffn)).toEqual([0n, 0n]);
	expect([...pending]).toEqual([0, 2]);
	expect(call(0, ExtensionId.IPI, 0, 8n, 0n)).toEqual([-3n, 0n]);
});

test('any registers are answered', () => {
	const { sbi } = hosted(2, true);
	let seed = 1;
	const random = (): bigint => {
		seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0;
		return [0n, 1n, 0xffff_ffff_ffff_ffffn, 0x1000n, BigInt(seed)][(seed >>> 8) % 5]!;
	};
	const ids = [...Object.values(ExtensionId), 0, 1, 2, 3, 8, 15];
	for (let i = 0; i < 5000; i++) {
		const registers = new BigUint64Array(8).map(random);
		registers[7] = BigInt(ids[i % ids.length]!);
		registers[6] = BigInt(i % 9);
		expect(typeof sbi.call(0, registers)).toBe('boolean');
	}
});
