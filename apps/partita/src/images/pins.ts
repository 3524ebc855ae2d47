// The packages that the snapshot source fetches, by version, size and SHA-256, and the address of the archive's state
// that has them. The numbers come from the archive's signed index as apt verified it; write-pins.ts writes them anew.

/** A state of the archive, pinned. */
export interface Pins {
	suite: string;
	/** The snapshot archive's time stamp, `YYYYMMDDTHHMMSSZ`. */
	snapshot: string;
	/** The index of all packages for riscv64 at that time, for packages that are not listed below. */
	index: { filename: string; size: number; sha256: string };
	/** The packages of every pull, as a Packages file. */
	packages: string;
}

/** Debian 13 (trixie). */
export const DEBIAN_PINS: Pins = {
	suite: 'trixie',
	snapshot: '20260913T000000Z',
	index: {
		filename: 'dists/trixie/main/binary-riscv64/Packages.xz',
		size: 9385284,
		sha256: '1b0d89902b0bde1d8cacb392e3c9b73511abc12b291511c3a9dcd28ad0fa3582',
	},
	packages: `Package: linux-image-riscv64
Version: 6.12.107-1
Architecture: riscv64
Depends: linux-image-6.12.107+deb13-riscv64
Filename: pool/main/l/linux/linux-image-riscv64_6.12.107-1_riscv64.deb
Size: 1436
SHA256: 1b458cc5b1d13b946bdca67bdca891fccf57882f8af972276d1346b24fa8285b

Package: linux-image-6.12.107+deb13-riscv64
Version: 6.12.107-1
Architecture: riscv64
Filename: pool/main/l/linux/linux-image-6.12.107+deb13-riscv64_6.12.107-1_riscv64.deb
Size: 112012420
SHA256: abe9f65d74b434692149482b031db7a2aaf832921e09f69f775293c0e0c5799c

Package: busybox-static
Version: 1:1.37.0-6+b9
Architecture: riscv64
Filename: pool/main/b/busybox/busybox-static_1.37.0-6+b9_riscv64.deb
Size: 941532
SHA256: 4add476d2b185c5b487c285b38d790f0881a7e4a8e2ddde835f917e770eb8633

Package: opensbi
Version: 1.6-1
Architecture: all
Filename: pool/main/o/opensbi/opensbi_1.6-1_all.deb
Size: 204072
SHA256: dc4a43bd21a0ca11771ed8b19ee6fa8476d1d0f4976bd0b27c0357c699d27e1e
`,
};
