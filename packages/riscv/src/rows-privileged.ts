/**
 * Encodings of the privileged instructions, Svinval and the hypervisor extension.
 * The RISC-V Instruction Set Manual, Volume II (20240411).
 *
 * Data only: what the columns mean is said in `instructions.ts`.
 */

/** Rows of the instruction table; see {@link instructions}. */
export const privilegedRows = [
	// Trap-Return Instructions; Wait for Interrupt; Supervisor Memory-Management Fence Instruction.
	{ name: 'mret', match: 0x30200073, mask: 0xffffffff, format: '', extension: 'Priv' },
	{ name: 'sret', match: 0x10200073, mask: 0xffffffff, format: '', extension: 'Priv' },
	{ name: 'wfi', match: 0x10500073, mask: 0xffffffff, format: '', extension: 'Priv' },
	{ name: 'sfence.vma', match: 0x12000073, mask: 0xfe007fff, format: 'rs1,rs2', extension: 'Priv' },
	// "Svinval" Extension for Fine-Grained Address-Translation Cache Invalidation.
	{ name: 'sinval.vma', match: 0x16000073, mask: 0xfe007fff, format: 'rs1,rs2', extension: 'Svinval' },
	{ name: 'sfence.w.inval', match: 0x18000073, mask: 0xffffffff, format: '', extension: 'Svinval' },
	{ name: 'sfence.inval.ir', match: 0x18100073, mask: 0xffffffff, format: '', extension: 'Svinval' },
	{ name: 'hinval.vvma', match: 0x26000073, mask: 0xfe007fff, format: 'rs1,rs2', extension: 'Svinval' },
	{ name: 'hinval.gvma', match: 0x66000073, mask: 0xfe007fff, format: 'rs1,rs2', extension: 'Svinval' },
	// "H" Extension for Hypervisor Support: Hypervisor Instructions.
	{ name: 'hfence.vvma', match: 0x22000073, mask: 0xfe007fff, format: 'rs1,rs2', extension: 'H' },
	{ name: 'hfence.gvma', match: 0x62000073, mask: 0xfe007fff, format: 'rs1,rs2', extension: 'H' },
	{ name: 'hlv.b', match: 0x60004073, mask: 0xfff0707f, format: 'rd,(rs1)', extension: 'H' },
	{ name: 'hlv.bu', match: 0x60104073, mask: 0xfff0707f, format: 'rd,(rs1)', extension: 'H' },
	{ name: 'hlv.h', match: 0x64004073, mask: 0xfff0707f, format: 'rd,(rs1)', extension: 'H' },
	{ name: 'hlv.hu', match: 0x64104073, mask: 0xfff0707f, format: 'rd,(rs1)', extension: 'H' },
	{ name: 'hlvx.hu', match: 0x64304073, mask: 0xfff0707f, format: 'rd,(rs1)', extension: 'H' },
	{ name: 'hlv.w', match: 0x68004073, mask: 0xfff0707f, format: 'rd,(rs1)', extension: 'H' },
	{ name: 'hlv.wu', match: 0x68104073, mask: 0xfff0707f, format: 'rd,(rs1)', extension: 'H' },
	{ name: 'hlvx.wu', match: 0x68304073, mask: 0xfff0707f, format: 'rd,(rs1)', extension: 'H' },
	{ name: 'hlv.d', match: 0x6c004073, mask: 0xfff0707f, format: 'rd,(rs1)', extension: 'H' },
	{ name: 'hsv.b', match: 0x62004073, mask: 0xfe007fff, format: 'rs2,(rs1)', extension: 'H' },
	{ name: 'hsv.h', match: 0x66004073, mask: 0xfe007fff, format: 'rs2,(rs1)', extension: 'H' },
	{ name: 'hsv.w', match: 0x6a004073, mask: 0xfe007fff, format: 'rs2,(rs1)', extension: 'H' },
	{ name: 'hsv.d', match: 0x6e004073, mask: 0xfe007fff, format: 'rs2,(rs1)', extension: 'H' },
] as const;
