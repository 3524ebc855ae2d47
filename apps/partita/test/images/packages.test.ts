import { describe, expect, test } from 'vitest';
import { checkPackageName, PackageIndex } from '../../src/images/packages.ts';
import { DEBIAN_PINS } from '../../src/images/pins.ts';

const HASH = 'ab'.repeat(32);

function stanza(name: string, fields: Record<string, string> = {}): string {
	const all: Record<string, string> = {
		Package: name,
		Version: '1:2.0-3+b1',
		Architecture: 'riscv64',
		Filename: `pool/main/${name}.deb`,
		Size: '1234',
		SHA256: HASH,
		...fields,
	};
	return Object.entries(all)
		.map(([key, value]) => `${key}: ${value}\n`)
		.join('');
}

const index = (...stanzas: string[]): PackageIndex => new PackageIndex(stanzas.join('\n'));

describe('index', () => {
	test('a record, with continuation lines around its fields', () => {
		const record = index(
			stanza('tool', {
				Description: 'about\n Size: 99\n .\n Depends: nothing',
				'Pre-Depends': 'libc6 (>= 2.41)',
				Depends: 'a (>= 1.0), b:any (<< 2) | c [riscv64],\n d',
			}),
		).get('tool');
		expect(record).toEqual({
			name: 'tool',
			version: '1:2.0-3+b1',
			architecture: 'riscv64',
			filename: 'pool/main/tool.deb',
			size: 1234,
			sha256: HASH,
			depends: [['libc6'], ['a'], ['b', 'c'], ['d']],
		});
	});

	test('of several stanzas of one name the first counts', () => {
		expect(index(stanza('x', { Version: '1' }), stanza('x', { Version: '2' })).get('x').version).toBe('1');
	});

	test('an unknown package, and a virtual one with its providers', () => {
		const packages = index(stanza('mawk', { Provides: 'awk, some (= 1)' }), stanza('gawk', { Provides: 'awk' }));
		expect(() => packages.get('nope')).toThrow('The archive has no package named nope');
		expect(() => packages.get('awk')).toThrow(expect.objectContaining({ why: expect.stringContaining('mawk, gawk') }));
		expect(packages.find('nope')).toBeUndefined();
	});

	test.each([
		['Size', 'big'],
		['SHA256', 'abc'],
		['Filename', 'pool/../../etc/passwd'],
		['Filename', 'pool/a b'],
		['Version', '1; rm -rf'],
	])('refuses a malformed %s', (key, value) => {
		expect(() => index(stanza('x', { [key]: value })).get('x')).toThrow(
			expect.objectContaining({ why: `x has no valid ${key}` }),
		);
	});

	test('a text without stanzas', () => {
		expect(new PackageIndex('').size).toBe(0);
	});
});

describe('kernel', () => {
	test('the meta package leads to the versioned one', () => {
		const packages = index(
			stanza('linux-image-riscv64', { Depends: 'linux-base, linux-image-6.12.1-riscv64 (= 6.12.1-1)' }),
			stanza('linux-image-6.12.1-riscv64'),
		);
		expect(packages.kernel('linux-image-riscv64').name).toBe('linux-image-6.12.1-riscv64');
	});

	test('a meta package without a kernel', () => {
		expect(() => index(stanza('linux-image-riscv64')).kernel('linux-image-riscv64')).toThrow(
			"Cannot tell the kernel's version",
		);
	});
});

describe('closure', () => {
	const names = (packages: PackageIndex, ...wanted: string[]): string[] =>
		packages.closure(wanted).map(({ name }) => name);

	test('transitive, with cycles', () => {
		const packages = index(
			stanza('a', { Depends: 'b' }),
			stanza('b', { 'Pre-Depends': 'c' }),
			stanza('c', { Depends: 'a' }),
			stanza('d'),
		);
		expect(names(packages, 'a')).toEqual(['a', 'b', 'c']);
	});

	test('the first alternative that exists; one that is chosen already wins', () => {
		const packages = index(stanza('a', { Depends: 'gone | x | y' }), stanza('x'), stanza('y'));
		expect(names(packages, 'a')).toEqual(['a', 'x']);
		expect(names(packages, 'a', 'y')).toEqual(['a', 'y']);
	});

	test('a virtual name leads to a provider, unless one is chosen already', () => {
		const packages = index(
			stanza('a', { Depends: 'awk' }),
			stanza('mawk', { Provides: 'awk' }),
			stanza('gawk', { Provides: 'awk (= 1)' }),
		);
		expect(names(packages, 'a')).toEqual(['a', 'mawk']);
		expect(names(packages, 'gawk', 'a')).toEqual(['gawk', 'a']);
	});

	test('a dependency that the archive cannot meet', () => {
		expect(() => index(stanza('a', { Depends: 'x | y' })).closure(['a'])).toThrow(
			expect.objectContaining({
				message: 'Cannot complete the dependencies of a',
				why: 'the archive has none of x | y',
			}),
		);
	});
});

test.each(['', 'a', '-o=x', 'A', 'a b', 'a/../b', 'a=1', '../x'])('%j is no package name', (name) => {
	expect(() => checkPackageName(name)).toThrow('is not a package name');
});

test.each(['g++', 'libc6', '0ad', 'linux-image-6.12.107+deb13-riscv64'])('%j is a package name', (name) => {
	expect(() => checkPackageName(name)).not.toThrow();
});

test('the pins hold all that a plain pull needs', () => {
	const pinned = new PackageIndex(DEBIAN_PINS.packages);
	expect(pinned.kernel('linux-image-riscv64').name).toMatch(/^linux-image-6\.12\.\d+/);
	for (const name of ['busybox-static', 'opensbi']) expect(pinned.get(name).filename).toMatch(/^pool\/main\/.*\.deb$/);
	expect(DEBIAN_PINS.snapshot).toMatch(/^\d{8}T\d{6}Z$/);
	expect(DEBIAN_PINS.index.sha256).toMatch(/^[0-9a-f]{64}$/);
});
