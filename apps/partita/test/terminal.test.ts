// The terminal: raw while the guest has it, and as it was afterwards, however the run ends.
import { spawn, spawnSync } from 'node:child_process';
import { describe, expect, test } from 'vitest';
import { outcome, PARTITA, scratch } from './support/cli.ts';
import { chatter, echo, place } from './support/guests.ts';

/**
 * Opens a pseudo terminal, starts a command on it, and acts once it has printed "ready" (or anything): types bytes (given
 * in hexadecimal), or sends a signal by name. Prints what it saw as JSON.
 */
const DRIVER = `
import json, os, pty, select, signal, subprocess, sys, termios, time
action, command = sys.argv[1], sys.argv[2:]
master, slave = pty.openpty()
before = termios.tcgetattr(slave)
child = subprocess.Popen(command, stdin=slave, stdout=slave, stderr=slave, start_new_session=True)
seen, raw, acted, deadline = b'', False, False, time.time() + 40
while time.time() < deadline:
    ready, _, _ = select.select([master], [], [], 0.05)
    if ready:
        seen += os.read(master, 65536)
    raw = raw or not (termios.tcgetattr(slave)[3] & termios.ICANON)
    if not acted and raw and seen:
        acted = True
        if action.startswith('SIG'):
            child.send_signal(getattr(signal, action))
        else:
            os.write(master, bytes.fromhex(action))
    if child.poll() is not None and not ready:
        break
child.kill()
status = child.wait()
print(json.dumps({'status': status, 'raw': raw, 'restored': termios.tcgetattr(slave) == before, 'text': seen.decode('latin1')}))
`;

const python = spawnSync('python3', ['-c', 'import pty, termios']).status === 0;

interface Seen {
	readonly status: number;
	readonly raw: boolean;
	readonly restored: boolean;
	readonly text: string;
}

async function onTerminal(guest: Uint8Array, action: string, ...more: string[]): Promise<Seen> {
	const kernel = place(scratch(), 'guest.elf', guest);
	const command = [...PARTITA, 'boot', '--bios', 'none', '--memory', '16M', '--kernel', kernel, ...more];
	const { stdout } = await outcome(
		spawn('python3', ['-c', DRIVER, action, ...command], { stdio: ['ignore', 'pipe', 'inherit'] }),
	);
	return JSON.parse(stdout) as Seen;
}

const hex = (text: string): string => Buffer.from(text, 'latin1').toString('hex');
const CTRL_A = '\x01';

describe.skipIf(!python)('a terminal is raw, and restored', () => {
	test('at the exit key', async () => {
		const seen = await onTerminal(chatter('x'), hex(`${CTRL_A}x`));
		expect(seen).toMatchObject({ status: 0, raw: true, restored: true });
	});

	test('at the end of the guest; keys reach it unchanged', async () => {
		// Ctrl-C, Ctrl-D, Ctrl-Z and return are the guest's, and so is a Ctrl-A that is typed twice.
		const keys = `\x03\x04\x1a\r${CTRL_A}${CTRL_A}${CTRL_A}?q`;
		const seen = await onTerminal(echo('ready'), hex(keys));
		expect(seen).toMatchObject({ status: 0, raw: true, restored: true });
		const [before, help, after] = seen.text.split(/(\r\nCtrl-A X {2}exit\r\n.*to the guest\r\n)/s);
		expect(help).toContain('Ctrl-A Ctrl-A');
		expect(before + after).toBe(`ready\x03\x04\x1a\r${CTRL_A}q`);
	});

	test.each([
		['SIGINT', 130],
		['SIGTERM', 143],
		['SIGHUP', 129],
	])('at %s', async (signal, status) => {
		expect(await onTerminal(chatter('x'), signal)).toMatchObject({ status, raw: true, restored: true });
	});

	test('at a timeout, with the message at the start of a line', async () => {
		const seen = await onTerminal(echo('ready'), hex('a'), '--timeout', '1');
		expect(seen).toMatchObject({ status: 124, raw: true, restored: true });
		expect(seen.text).toMatch(/readya.*partita: the guest was stopped/s);
	});
});
