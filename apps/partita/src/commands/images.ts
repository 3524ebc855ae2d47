// `partita images`: fetches, lists and locates the images of a guest. Wiring only; the work is in ../images/.

import { type Command, Option } from 'commander';
import {
	createProgress,
	defaultImageFolder,
	type ImageFile,
	ImagesError,
	listImages,
	megabytes,
	type ProgressOutput,
	pullDebian,
	resolveImages,
} from '../images/index.ts';

/** Where the command writes: results to `stdout`, progress to `stderr`. */
export interface ImagesIo {
	stdout: { write(text: string): unknown };
	stderr: ProgressOutput;
}

interface PullFlags {
	suite: string;
	package?: string[];
	withDependencies?: true;
	module?: string[];
	compress: 'none' | 'gzip';
	dir?: string;
	source?: 'apt' | 'snapshot';
	mirror?: string;
	refresh?: true;
}

const FILES: Readonly<Record<string, ImageFile>> = {
	kernel: 'kernel',
	initrd: 'initrd',
	fw_jump: 'openSbiJump',
	fw_dynamic: 'openSbiDynamic',
};

/** Adds the `images` command and its subcommands. Failures end the program with status 1 through `Command.error`. */
export function registerImages(program: Command, io: ImagesIo = process): void {
	const images = program.command('images').description('fetch, list and locate the images of guests');
	const collect = (value: string, previous: string[] = []): string[] => [...previous, value];
	const dir = (): Option => new Option('--dir <dir>', "folder for images (default: the platform's cache)");

	const debian = images
		.command('pull')
		.description("fetch a distribution's kernel, firmware and shell, and build an initramfs")
		.command('debian')
		.description("Debian's riscv64 kernel, busybox and OpenSBI")
		.option('--suite <name>', 'Debian suite', 'trixie')
		.option('--package <name>', 'also put the files of this package into the initramfs (may be repeated)', collect)
		.option('--with-dependencies', 'also all packages that those depend on')
		.option('--module <name>', 'also put this kernel module into the initramfs (may be repeated)', collect)
		.addOption(new Option('--compress <how>', 'compression of the initramfs').choices(['none', 'gzip']).default('none'))
		.addOption(dir())
		.addOption(
			new Option('--source <source>', 'apt, or the snapshot archive by HTTPS (default: apt where it is there)').choices(
				['apt', 'snapshot'],
			),
		)
		.addOption(new Option('--mirror <url>', 'mirror in place of the snapshot archive').env('PARTITA_DEBIAN_MIRROR'))
		.option('--refresh', 'look for newer packages although the images are there')
		.action((flags: PullFlags) =>
			reporting(debian, async () => {
				const progress = createProgress(io.stderr);
				const { package: packages, module: modules, ...rest } = flags;
				const result = await pullDebian({ ...rest, packages, modules, progress });
				const { manifest, version } = result.images;
				const state = result.cached ? 'is already here' : 'is ready';
				io.stdout.write(`Linux ${version} ${state}: ${manifest.id}\n`);
			}),
		);

	const list = images
		.command('list')
		.description('list the images that are there; * marks those that a boot uses')
		.addOption(dir())
		.action((flags: { dir?: string }) =>
			reporting(list, async () => {
				const current = resolveImages(flags.dir)?.manifest.id;
				for (const { manifest } of listImages(flags.dir)) {
					const bytes = Object.values(manifest.files).reduce((sum, file) => sum + file.size, 0);
					const mark = manifest.id === current ? '*' : ' ';
					const packages = manifest.packages.map(({ name, version }) => `${name}=${version}`).join(' ');
					io.stdout.write(`${mark} ${manifest.id}  ${megabytes(bytes)}  from ${manifest.source}\n    ${packages}\n`);
				}
			}),
		);

	const where = images
		.command('path')
		.description('print where the current images are, or one of their files')
		.argument('[file]', Object.keys(FILES).join(', '))
		.addOption(dir())
		.action((file: string | undefined, flags: { dir?: string }) =>
			reporting(where, async () => {
				const resolved = resolveImages(flags.dir);
				if (!resolved) {
					throw new ImagesError(`There are no images in ${flags.dir ?? defaultImageFolder()}`, {
						advice: `partita images pull debian${flags.dir === undefined ? '' : ` --dir ${flags.dir}`}`,
					});
				}
				if (file === undefined) {
					for (const [name, key] of Object.entries(FILES)) io.stdout.write(`${name} ${resolved[key]}\n`);
					return;
				}
				const key = Object.hasOwn(FILES, file) ? FILES[file] : undefined;
				if (key === undefined) {
					throw new ImagesError(`There is no image file named ${JSON.stringify(file)}`, {
						advice: `one of ${Object.keys(FILES).join(', ')}`,
					});
				}
				io.stdout.write(`${resolved[key]}\n`);
			}),
		);
}

async function reporting(command: Command, action: () => Promise<void>): Promise<void> {
	try {
		await action();
	} catch (error) {
		if (error instanceof ImagesError) command.error(error.describe(), { exitCode: 1 });
		throw error;
	}
}
