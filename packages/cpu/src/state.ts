/**
 * The architectural state of one hart: a single array of 256 64-bit words, and the names of its slots.
 *
 * Everything that software can observe of a hart lives here and nowhere else, so that a snapshot of a hart is a copy of
 * 2 KiB. The running hart's words sit at address 0 of the engine's linear memory (the interpreter addresses them with
 * constants); the words of the other harts are parked elsewhere. Caches (TLB, decoded code) are not in it.
 */

/** Words in a hart's state. */
export const STATE_WORDS = 256;

/**
 * Index of each 64-bit word of a hart's state. CSR slots hold the CSR's architectural value with its WARL rules already
 * applied; views of other CSRs (`sstatus`, `sie`, `hvip`, ...) have no slot of their own.
 */
export const Slot = {
	/** x0..x31; x0 stays zero. */
	x: 0,
	/** f0..f31, NaN-boxed. */
	f: 32,
	pc: 64,
	/** Nominal privilege: 0 U, 1 S, 3 M. */
	privilege: 65,
	/** Virtualization mode V: 0 or 1. */
	virtual: 66,
	/** Instructions retired since reset: `minstret` and `mcycle` are this plus an offset. */
	retired: 67,
	/** Physical address reserved by LR, or all ones. */
	reservation: 68,
	/** Nonzero while the hart waits in WFI. */
	waiting: 69,
	/** fcsr: fflags in bits 4:0, frm in bits 7:5. */
	fcsr: 70,

	mstatus: 72,
	misa: 73,
	medeleg: 74,
	mideleg: 75,
	mie: 76,
	/** Software-writable bits of mip; external lines are in `lines`. */
	mip: 77,
	/** Levels of interrupt lines: what controllers drive (MSIP 3, MTIP 7, SEIP 9, MEIP 11), and Sstc's timers (STIP 5, VSTIP 6). */
	lines: 78,
	mtvec: 79,
	mcounteren: 80,
	menvcfg: 81,
	mscratch: 82,
	mepc: 83,
	mcause: 84,
	mtval: 85,
	mtval2: 86,
	mtinst: 87,
	mcountinhibit: 88,
	mhartid: 89,
	/** mcycle - retired; while mcountinhibit stops the counter, mcycle itself. */
	mcycleOffset: 90,
	/** minstret - retired; while mcountinhibit stops the counter, minstret itself. */
	minstretOffset: 91,
	mseccfg: 92,

	stvec: 96,
	scounteren: 97,
	senvcfg: 98,
	sscratch: 99,
	sepc: 100,
	scause: 101,
	stval: 102,
	satp: 103,
	stimecmp: 104,

	hstatus: 112,
	hedeleg: 113,
	hideleg: 114,
	hcounteren: 115,
	hgeie: 116,
	htval: 117,
	htinst: 118,
	hgatp: 119,
	henvcfg: 120,
	htimedelta: 121,
	/** Guest external interrupt lines (hgeip). */
	hgeip: 122,

	vsstatus: 128,
	vstvec: 129,
	vsscratch: 130,
	vsepc: 131,
	vscause: 132,
	vstval: 133,
	vsatp: 134,
	vstimecmp: 135,

	/** pmpcfg0, pmpcfg2: 16 configuration bytes. */
	pmpcfg: 144,
	/** pmpaddr0..15. */
	pmpaddr: 146,
	/** Trigger and other debug CSRs are read-only zero; 162..191 are free. */

	/** Exit and trap details that the engine reports; see engine.ts. 192..255. */
	engine: 192,
} as const;
