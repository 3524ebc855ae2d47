/**
 * Loads and stores that a guest makes where it has no memory: what htinst says of them, and what becomes of the registers.
 * Hypervisor extension, "Transformed Instruction or Pseudoinstruction for mtinst or htinst".
 */
import { Slot } from '@partita/cpu';
import { createDecoded, type Decoded, decode, instructions, type Mnemonic } from '@partita/riscv';
import type { VirtualDevice } from './ports.ts';
import type { Vcpu } from './vcpu.ts';

/** An access of a guest to a device. */
export interface MmioAccess {
	readonly store: boolean;
	readonly bytes: 1 | 2 | 4 | 8;
	readonly signed: boolean;
	readonly float: boolean;
	/** Destination of a load, source of a store. */
	readonly register: number;
	/** Bytes of the instruction. */
	readonly length: 2 | 4;
}

type Form = Pick<MmioAccess, 'store' | 'bytes' | 'signed' | 'float'>;

const BYTES = { b: 1, h: 2, w: 4, d: 8 } as const;

function formOf(name: Mnemonic): Form | undefined {
	const plain = /^(f?)([ls])([bhwd])(u?)$/.exec(name);
	if (!plain) return undefined;
	const float = plain[1] === 'f';
	return {
		store: plain[2] === 's',
		bytes: BYTES[plain[3] as keyof typeof BYTES],
		signed: !float && plain[4] === '',
		float,
	};
}

const forms: readonly (Form | undefined)[] = instructions.map(({ name }) => formOf(name));
const decoded: Decoded = createDecoded();
/** In htinst, bit 1 says that the instruction had 32 bits; rs1 holds how far into the access the fault was. */
const LONG = 2;
const ADDRESS_OFFSET = 31 << 15;

/**
 * What access a transformed instruction is.
 * @param instruction - htinst
 * @returns undefined for what cannot be made on a device: atomic and misaligned accesses, those of a page-table walk
 */
export function decodeAccess(instruction: bigint): MmioAccess | undefined {
	const word = Number(BigInt.asUintN(32, instruction));
	if ((word & 1) === 0 || (word & ADDRESS_OFFSET) !== 0 || !decode((word | LONG) >>> 0, decoded)) return undefined;
	const form = forms[decoded.index];
	if (!form) return undefined;
	return { ...form, register: form.store ? decoded.rs2 : decoded.rd, length: word & LONG ? 4 : 2 };
}

/** Makes the access, and goes behind the instruction. 8 bytes are two accesses, low half first, as on the board's bus. */
export function performAccess(vcpu: Vcpu, access: MmioAccess, device: VirtualDevice, offset: number): void {
	const { words } = vcpu;
	const { bytes, register, float } = access;
	vcpu.skip(access.length);
	if (access.store) {
		const value = words[(float ? Slot.f : Slot.x) + register]!;
		if (bytes === 8) {
			device.write(offset, 4, Number(value & 0xffff_ffffn));
			device.write(offset + 4, 4, Number(value >> 32n));
		} else device.write(offset, bytes, Number(BigInt.asUintN(bytes * 8, value)));
		return;
	}
	const low = BigInt(device.read(offset, bytes === 8 ? 4 : bytes) >>> 0);
	const raw = bytes === 8 ? low | (BigInt(device.read(offset + 4, 4) >>> 0) << 32n) : BigInt.asUintN(bytes * 8, low);
	if (float) vcpu.loadFloat(register, bytes === 4 ? raw | 0xffff_ffff_0000_0000n : raw);
	else if (register !== 0)
		words[Slot.x + register] = access.signed ? BigInt.asUintN(64, BigInt.asIntN(bytes * 8, raw)) : raw;
}
