// Flattened devicetrees: build, write, read, query, and show them as source. Knows nothing of boards or devices.

export {
	cells,
	join,
	node,
	type PropertyInput,
	type PropertyValue,
	pathOf,
	ref,
	reg32,
	reg64,
	root,
	setProperty,
	strings,
	u32,
	u64,
} from './build.ts';
export { type ToDtsOptions, toDts } from './dts.ts';
export { FdtError, type FdtErrorPlace } from './error.ts';
export {
	ensureChild,
	type FdtLocation,
	type FdtRegion,
	findByCompatible,
	findByPath,
	findByPhandle,
	getCells,
	getProperty,
	getStrings,
	getU32,
	getU64,
	readReg,
	walk,
} from './query.ts';
export { type Fdt, MAX_TOTAL_SIZE, readFdt } from './read.ts';
export {
	type FdtNode,
	type FdtProperty,
	type FdtReference,
	type FdtReservation,
	MAX_DEPTH,
	MAX_NAME_LENGTH,
} from './tree.ts';
export { type WriteFdtOptions, writeFdt } from './write.ts';
