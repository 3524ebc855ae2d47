// The parameters of the programs here, for tests that run them briefly. layout.h says where they are.

const PARAMETERS = 0x83ff_f000;

/** Rounds in which each program does everything that it does, within a few million instructions. */
export const SHORT_ROUNDS: Readonly<Record<string, number>> = {
	'address-spaces': 70,
	atomics: 10_000,
	'float-arithmetic': 6,
	'float-convert': 30,
	'float-divide': 150,
	'float-flags': 150,
	'float-fused': 3,
	integers: 4,
	interpreter: 1,
	ipc: 6000,
	memory: 1,
	'self-modifying': 1,
	strings: 20,
	'system-calls': 1000,
};

/** How a program shall run: 0 rounds are its own number of them; two stages make it a hypervisor's guest. */
export interface Parameters {
	readonly rounds: number;
	readonly stages: 1 | 2;
}

/** Writes parameters into a machine that has not started. */
export function setParameters(
	memory: { write(address: number, bytes: Uint8Array): boolean },
	{ rounds, stages }: Parameters,
): void {
	const words = new DataView(new ArrayBuffer(16));
	words.setBigUint64(0, BigInt(rounds), true);
	words.setBigUint64(8, BigInt(stages), true);
	memory.write(PARAMETERS, new Uint8Array(words.buffer));
}

/** The same for QEMU: options of its command line. */
export function qemuParameters({ rounds, stages }: Parameters): string[] {
	return [rounds, stages].flatMap((value, index) => [
		'-device',
		`loader,addr=0x${(PARAMETERS + 8 * index).toString(16)},data=${value},data-len=8`,
	]);
}
