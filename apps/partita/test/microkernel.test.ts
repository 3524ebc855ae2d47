// `partita microkit` and `partita root-task`: programs of our own on the microkernel, and what is refused.
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { assemble, programToElf } from '@partita/riscv';
import { describe, expect, test } from 'vitest';
import { partita, scratch } from './support/cli.ts';

const print = (text: string): string =>
	Array.from(text, (character) => `	li a0, ${character.charCodeAt(0)}\n	li a7, -12\n	ecall`).join('\n');

const variable = (name: string, size: number): string =>
	`	.balign 8\n	.globl ${name}\n	.size ${name}, ${size}\n${name}:\n	.zero ${size}`;

/** A program with libmicrokit's variables. */
function program(code: string): Uint8Array {
	const words = ['microkit_irqs', 'microkit_notifications', 'microkit_pps'].map((name) => variable(name, 8));
	const variables = [variable('microkit_name', 64), variable('microkit_passive', 1), ...words].join('\n');
	return programToElf(
		assemble(`	.text\n	.globl _start\n_start:\n${code}\n	.bss\n	.balign 4096\n${variables}`, { base: 0x20_0000n }),
	);
}

const WAIT = '	li a0, 1\n	li a6, 4\n	li a7, -7\n	ecall';

/** A folder with a description and its program. */
function system(description: string, code: string): string {
	const folder = scratch();
	writeFileSync(path.join(folder, 'test.system'), description);
	writeFileSync(path.join(folder, 'hello.elf'), program(code));
	return path.join(folder, 'test.system');
}

const HELLO =
	'<system>\n\t<protection_domain name="hello"><program_image path="hello.elf"/></protection_domain>\n</system>';

describe('microkit', () => {
	test('runs a system until nothing more can happen', async () => {
		const { status, stdout } = await partita(['microkit', system(HELLO, `${print('hello\n')}\n${WAIT}`)]);
		expect({ status, stdout }).toEqual({ status: 0, stdout: 'MON|INFO: Microkit Monitor started!\nhello\n' });
	});

	test('finds programs in the search path, ends at a text, and writes a time line', async () => {
		const file = system(HELLO, `${print('ready\n')}\n	j .`);
		const folder = path.dirname(file);
		const other = path.join(scratch(), 'other.system');
		writeFileSync(other, HELLO);
		const trace = path.join(folder, 'trace.json');
		const args = ['microkit', other, '--search-path', scratch(), folder, '--expect', 'ready', '--trace', trace];
		expect((await partita(args)).status).toBe(0);
		expect(JSON.stringify(JSON.parse(readFileSync(trace, 'utf8')))).toContain('"hello"');
	});

	test('stops when the time is over', async () => {
		const { status, stderr } = await partita(['microkit', system(HELLO, '	j .'), '--for', '2ms', '--expect', 'never']);
		expect(status).toBe(1);
		expect(stderr).toContain('--for is over');
	});

	test('refuses a description with the place', async () => {
		const { status, stdout, stderr } = await partita(['microkit', system(HELLO.replace('name', 'nome'), WAIT)]);
		expect({ status, stdout }).toEqual({ status: 125, stdout: '' });
		expect(stderr).toContain("test.system:2:2: <protection_domain>: it has no attribute 'nome'");
		expect(stderr).not.toContain('    at ');
	});

	test('refuses a program that is not there', async () => {
		const file = system(HELLO.replace('hello.elf', 'hallo.elf'), WAIT);
		const { status, stderr } = await partita(['microkit', file]);
		expect(status).toBe(125);
		expect(stderr).toContain("program 'hallo.elf' of 'hello' is in no folder of the search path");
	});
});

/** A root task, in a file. */
function rootTask(code: string): string {
	const file = path.join(scratch(), 'root.elf');
	writeFileSync(file, programToElf(assemble(`	.text\n	.globl _start\n_start:\n${code}`, { base: 0x1_0000n })));
	return file;
}

describe('root-task', () => {
	test('runs a program that halts the system', async () => {
		const { status, stdout } = await partita(['root-task', rootTask(`${print('root\n')}\n	li a7, -14\n	ecall`)]);
		expect({ status, stdout }).toEqual({ status: 0, stdout: 'root\n' });
	});

	test('tells it of an extra image: the only device untyped in RAM', async () => {
		const image = path.join(scratch(), 'extra.bin');
		writeFileSync(image, 'extra');
		// Prints log2 of the bytes of the first device untyped from 0x80000000 on, as a letter.
		const code = `
	ld t0, 168(a0)
	ld t1, 176(a0)
	addi t2, a0, 184
	li t4, 0x80000000
next:
	beq t0, t1, end
	ld t3, 0(t2)
	lbu t5, 9(t2)
	beqz t5, skip
	bltu t3, t4, skip
	lbu a0, 8(t2)
	addi a0, a0, 65
	li a7, -12
	ecall
	j end
skip:
	addi t0, t0, 1
	addi t2, t2, 16
	j next
end:
	li a7, -14
	ecall`;
		const args = ['root-task', rootTask(code), '--memory', '64M', '--extra-image', image];
		expect((await partita(args)).stdout).toBe('M');
	});

	test('refuses what is no program, and a profile that there is not', async () => {
		const file = path.join(scratch(), 'root.elf');
		writeFileSync(file, 'no program');
		const { status, stderr } = await partita(['root-task', file]);
		expect(status).toBe(125);
		expect(stderr).toContain('root task: ELF file, offset 0x0');
		const other = await partita(['root-task', rootTask('	j .'), '--profile', 'sel4-1']);
		expect(other.status).toBe(125);
		expect(other.stderr).toContain('sel4-16-mcs');
	});

	test('tells of a fault that nobody handles', async () => {
		const { status, stderr } = await partita(['root-task', rootTask('	sd zero, 0(zero)')]);
		expect(status).toBe(1);
		expect(stderr).toContain('rootserver has stopped\n  why: VMFault, which nobody handles');
	});

	test('says why the text has not come', async () => {
		const { status, stderr } = await partita(['root-task', rootTask('	j .'), '--for', '1ms', '--expect', 'never']);
		expect(status).toBe(1);
		expect(stderr).toContain('--for is over');
	});
});
