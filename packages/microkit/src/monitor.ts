/**
 * What Microkit's monitor prints: that it has started, that a domain is passive, the faults that no parent handles. Its
 * texts are an interface, by which people read logs. It has no state. Not here: how it gets messages, and what it invokes
 * (monitor-component.ts).
 */
import { MonitorSlots } from './abi.ts';
import type { ProtectionDomain } from './description.ts';
import { PAGE, STACK_TOP } from './target.ts';

/** Labels of fault messages. */
export interface FaultLabels {
	readonly CapFault: number;
	readonly UserException: number;
	readonly VMFault: number;
}

const REGISTERS = [
	...['pc', 'ra', 'sp', 'gp', 's0', 's1', 's2', 's3', 's4', 's5', 's6', 's7', 's8', 's9', 's10', 's11'],
	...['a0', 'a1', 'a2', 'a3', 'a4', 'a5', 'a6', 'a7', 't0', 't1', 't2', 't3', 't4', 't5', 't6', 'tp'],
];
/** How many registers a thread has, in the interface's order. */
export const REGISTER_COUNT: number = REGISTERS.length;
/** Those that it does not print. */
const SILENT = new Set(['sp', 'gp', 'a7']);

/** scause of exceptions. RISC-V privileged architecture, table "Supervisor cause register values". */
const CAUSES: Readonly<Record<number, string>> = {
	0: 'Instruction address misaligned',
	1: 'Instruction access fault',
	2: 'Illegal instruction',
	3: 'Breakpoint',
	4: 'Load address misaligned',
	5: 'Load access fault',
	6: 'Store/AMO address misaligned',
	7: 'Store/AMO access fault',
	8: 'Environment call from U-mode',
	9: 'Environment call from S-mode',
	12: 'Instruction page fault',
	13: 'Load page fault',
	15: 'Store/AMO page fault',
	18: 'Software check',
	19: 'Hardware error',
};

/** seL4_LookupFailureType. */
const LOOKUP_FAILURES = [
	'seL4_NoFailure',
	'seL4_InvalidRoot',
	'seL4_MissingCapability',
	'seL4_DepthMismatch',
	'seL4_GuardMismatch',
];

/** See the file's head. Domains go by index. */
export class Monitor {
	readonly #domains: readonly ProtectionDomain[];
	readonly #labels: FaultLabels;
	readonly #print: (text: string) => void;

	/** @param print - takes what it prints, in pieces */
	constructor(domains: readonly ProtectionDomain[], labels: FaultLabels, print: (text: string) => void) {
		this.#domains = domains;
		this.#labels = labels;
		this.#print = print;
	}

	/** It starts, before any domain. */
	start(): void {
		this.#print('MON|INFO: Microkit Monitor started!\n');
	}

	/** Index of the domain that a badge of its endpoint's is for; undefined: nobody's. */
	domainOf(badge: bigint): number | undefined {
		const index = Number(badge) - 1;
		return this.#domains[index] && index;
	}

	/** A domain's context was to be bound to its notification. */
	bound(index: number, done: boolean): void {
		if (done) this.#print(`MON|INFO: PD '${this.#domains[index]!.name}' is now passive!\n`);
		else this.#error('could not bind scheduling context to notification object');
	}

	/**
	 * A fault, which gets no answer: the domain stays stopped.
	 * @param registers - those of the domain, in the interface's order; undefined: they could not be read
	 */
	received(badge: bigint, label: number, words: readonly bigint[], registers: readonly bigint[] | undefined): void {
		const index = Number(badge) - 1;
		const domain = this.#domains[index];
		const slot = BigInt(MonitorSlots.tcbs + index);
		this.#error(`received message ${hex(BigInt(label), 8)}  badge: ${hex(badge)}  tcb cap: ${hex(slot)}`);
		if (!domain) {
			this.#error('unknown/invalid badge');
			return;
		}
		this.#error(`faulting PD: ${domain.name}`);
		if (registers) this.#printRegisters(registers);
		else this.#error('error reading registers');
		const word = (at: number): bigint => words[at] ?? 0n;
		const { CapFault, UserException, VMFault } = this.#labels;
		if (label === CapFault) this.#capFault(word);
		else if (label === UserException) this.#error('UserException');
		else if (label === VMFault) this.#vmFault(domain, word);
		else this.#error(`Unknown fault\n${hex(BigInt(label))}`);
	}

	#printRegisters(values: readonly bigint[]): void {
		const lines = REGISTERS.map((name, at) => (SILENT.has(name) ? '' : `${name} : ${hex(values[at] ?? 0n)}\n`));
		this.#print(`Registers: \n${lines.join('')}`);
	}

	#capFault(word: (at: number) => bigint): void {
		const kind = Number(word(3));
		const details = ['', '', `  bits_left=${hex(word(4))}`];
		details[3] = `${details[2]}  depth_bits_found=${hex(word(5))}`;
		details[4] = `${details[2]}  guard_found=${hex(word(5))}  guard_bits_found=${hex(word(6))}`;
		this.#error(
			`CapFault: ip=${hex(word(0))}  fault_addr=${hex(word(1))}  in_recv_phase=${word(2) === 0n ? 'false' : 'true'}` +
				`  lookup_failure_type=${LOOKUP_FAILURES[kind] ?? hex(word(3))}${details[kind] ?? ''}`,
		);
	}

	#vmFault({ stackSize }: ProtectionDomain, word: (at: number) => bigint): void {
		const [address, status] = [word(1), word(3)];
		const kind = word(2) === 0n ? 'data' : 'instruction';
		this.#error(`VMFault: ip=${hex(word(0))}  fault_addr=${hex(address)}  fsr=${hex(status)}  (${kind} fault)`);
		this.#error(`description of fault: ${CAUSES[Number(status)] ?? '<Unexpected FSR>'}`);
		const stack = BigInt(STACK_TOP - stackSize);
		if (address < stack && address >= stack - BigInt(PAGE))
			this.#error('potential stack overflow, fault address within one page outside of stack region');
	}

	#error(text: string): void {
		this.#print(`MON|ERROR: ${text}\n`);
	}
}

function hex(value: bigint, digits = 16): string {
	return `0x${BigInt.asUintN(4 * digits, value)
		.toString(16)
		.padStart(digits, '0')}`;
}
