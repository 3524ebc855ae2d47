// The initramfs of a pulled guest: busybox as init and shell, the virtio modules, and the files of further packages.
// It is made for one thing, a shell on the console; it mounts no root file system and switches to none. Maintainer
// scripts are not run.

import { gzipSync } from 'node:zlib';
import type { DebEntry } from './deb.ts';
import { type KernelModule, modulesAlias, modulesDep } from './modules.ts';
import { RootFs } from './rootfs.ts';

/** Parts of an initramfs. */
export interface InitramfsParts {
	/** As `uname -r` prints it. */
	kernelRelease: string;
	/** The static busybox. */
	busybox: Uint8Array;
	/** In load order. */
	modules: readonly KernelModule[];
	/** The kernel's own list of what is built in, in the form of modules.builtin. */
	modulesBuiltin: string;
	/** Files of further packages, package by package. */
	extra: readonly (readonly DebEntry[])[];
}

/**
 * What is left out of further packages: nothing reads it in a guest of this size, and it would be unpacked into RAM at
 * every boot.
 */
const LEFT_OUT = /^usr\/share\/(?:doc|man|info|locale|lintian|bug|doc-base)(?:\/|$)/;

/** PID 1 until busybox's init takes over. The applets' links are made here, so that none hides a package's program. */
const INIT = `#!/bin/busybox sh
export PATH=/usr/sbin:/usr/bin:/sbin:/bin
busybox mount -t proc proc /proc
busybox mount -t sysfs sysfs /sys
busybox mount -t devtmpfs devtmpfs /dev
busybox mkdir -p /dev/pts /dev/shm
busybox mount -t devpts devpts /dev/pts
busybox mount -t tmpfs tmpfs /dev/shm
busybox --install -s 2>/dev/null
exec busybox init
`;

/** cttyhack opens the terminal behind /dev/console, so that the shell has job control. */
const INITTAB = `::sysinit:/etc/init.d/rcS
::respawn:/bin/busybox cttyhack /bin/sh -l
::ctrlaltdel:/bin/busybox reboot
::shutdown:/bin/busybox umount -a -r 2>/dev/null
`;

/** Loads the drivers of the devices that are there: virtio over MMIO first, then what appears on the virtio bus. */
const RC = `#!/bin/busybox sh
hostname partita
ip link set lo up
modprobe -q virtio_mmio
for device in /sys/bus/virtio/devices/*/modalias; do
	[ -e "$device" ] && modprobe -q "$(cat "$device")"
done
echo
echo "Debian's Linux $(uname -r) with busybox. 'poweroff -f' stops the machine."
`;

const PROFILE = `export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
export HOME=/root PS1='partita:\\w# '
cd
`;

/** busybox's udhcpc leaves it to a script to apply what it was told. */
const UDHCPC_SCRIPT = `#!/bin/busybox sh
case "$1" in
deconfig)
	ip addr flush dev "$interface"
	ip link set "$interface" up
	;;
bound|renew)
	ip addr replace "$ip/\${mask:-24}" dev "$interface"
	for gateway in $router; do ip route replace default via "$gateway" dev "$interface"; done
	: > /etc/resolv.conf
	for server in $dns; do echo "nameserver $server" >> /etc/resolv.conf; done
	;;
esac
`;

/** Builds the archive; equal parts give equal bytes. */
export function buildInitramfs(parts: InitramfsParts): Uint8Array {
	const root = new RootFs();
	for (const directory of ['dev', 'etc', 'mnt', 'proc', 'run', 'sys', 'usr/local/bin', 'usr/local/sbin', 'var/log']) {
		root.directory(directory);
	}
	root.directory('root', 0o700);
	root.directory('tmp', 0o1777);
	root.symlink('var/run', '../run');
	// The kernel opens it for init before anything is mounted.
	root.characterDevice('dev/console', 0o600, 5, 1);

	root.file('usr/bin/busybox', parts.busybox, 0o755);
	for (const entries of parts.extra) {
		for (const entry of entries) if (!LEFT_OUT.test(entry.path)) root.add(entry);
	}
	if (!root.has('usr/bin/sh')) root.symlink('usr/bin/sh', 'busybox');
	// The kernel calls it by this path when a file system or an algorithm asks for a module.
	if (!root.has('usr/sbin/modprobe')) root.symlink('usr/sbin/modprobe', '../bin/busybox');

	const modules = `usr/lib/modules/${parts.kernelRelease}`;
	for (const module of parts.modules) root.file(`${modules}/${module.path}`, module.data);
	root.file(`${modules}/modules.dep`, modulesDep(parts.modules));
	root.file(`${modules}/modules.alias`, modulesAlias(parts.modules));
	root.file(`${modules}/modules.builtin`, parts.modulesBuiltin);

	root.file('init', INIT, 0o755);
	root.file('etc/inittab', INITTAB);
	root.file('etc/init.d/rcS', RC, 0o755);
	root.file('etc/udhcpc/default.script', UDHCPC_SCRIPT, 0o755);
	const defaults: Record<string, string> = {
		'etc/profile': PROFILE,
		'etc/passwd': 'root:x:0:0:root:/root:/bin/sh\n',
		'etc/group': 'root:x:0:\n',
		'etc/hostname': 'partita\n',
		'etc/hosts': '127.0.0.1 localhost partita\n',
		'etc/fstab': '',
	};
	for (const [path, text] of Object.entries(defaults)) if (!root.has(path)) root.file(path, text);
	if (!root.has('etc/mtab')) root.symlink('etc/mtab', '../proc/self/mounts');
	return root.toCpio();
}

/** gzip without a time stamp or a platform in its header: equal input gives equal bytes on every platform. */
export function gzipReproducibly(data: Uint8Array): Uint8Array {
	const OS_UNKNOWN = 255;
	const compressed = gzipSync(data, { level: 9 });
	compressed[9] = OS_UNKNOWN;
	return compressed;
}
