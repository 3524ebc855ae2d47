/**
 * Instructions that TypeScript executes (privileged/): environment calls, CSR accesses, trap returns, fences of address
 * translation, and the hypervisor's loads and stores.
 */
import type { Semantics } from './context.ts';

const system: Semantics = { kind: 'system' };

/** Semantics of system instructions. */
export const systemSemantics = {
	ecall: system,
	ebreak: system,
	csrrw: system,
	csrrs: system,
	csrrc: system,
	csrrwi: system,
	csrrsi: system,
	csrrci: system,
	mret: system,
	sret: system,
	wfi: system,
	'sfence.vma': system,
	'sinval.vma': system,
	'sfence.w.inval': system,
	'sfence.inval.ir': system,
	'hinval.vvma': system,
	'hinval.gvma': system,
	'hfence.vvma': system,
	'hfence.gvma': system,
	'hlv.b': system,
	'hlv.bu': system,
	'hlv.h': system,
	'hlv.hu': system,
	'hlvx.hu': system,
	'hlv.w': system,
	'hlv.wu': system,
	'hlvx.wu': system,
	'hlv.d': system,
	'hsv.b': system,
	'hsv.h': system,
	'hsv.w': system,
	'hsv.d': system,
} satisfies Record<string, Semantics>;
