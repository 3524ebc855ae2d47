/**
 * Hart state management. RISC-V SBI 2.0, "Hart State Management Extension (EID #0x48534D "HSM")".
 *
 * Transitions are complete when a call returns, so that the pending states are never seen. A suspended hart waits as in
 * WFI: it goes on when an interrupt is pending that sie enables.
 */
import {
	type Extension,
	failure,
	physicalAddress,
	type SbiCall,
	type SbiMachine,
	STARTED,
	STOPPED,
	success,
	word,
} from './call.ts';

/** Values that `sbi_hart_get_status` returns: "HSM Hart States". */
export const HartStatus = { STARTED: 0n, STOPPED: 1n, SUSPENDED: 4n } as const;

/** The two default types; all others are reserved, or platform-specific and not implemented. */
const RETENTIVE = 0;
const NON_RETENTIVE = 0x8000_0000;

/** HSM. */
export const hartStateExtension: Extension = (machine, call) => {
	switch (call.function) {
		case 0:
			return start(machine, call);
		case 1:
			machine.harts[call.hart] = STOPPED;
			return undefined;
		case 2: {
			const [id] = call.args;
			if (id >= BigInt(machine.harts.length)) return failure('INVALID_PARAM');
			return success(status(machine, Number(id)));
		}
		case 3:
			return suspend(machine, call);
		default:
			return failure('NOT_SUPPORTED');
	}
};

function start(machine: SbiMachine, { args }: SbiCall): ReturnType<Extension> {
	const [hartId, address, opaque] = args;
	if (hartId >= BigInt(machine.harts.length)) return failure('INVALID_PARAM');
	const id = Number(hartId);
	if (!machine.harts[id].stopped) return failure('ALREADY_AVAILABLE');
	if (!executable(machine, address)) return failure('INVALID_ADDRESS');
	machine.harts[id] = STARTED;
	machine.ports.harts[id].start(address, opaque);
	return success();
}

function suspend(machine: SbiMachine, { hart: id, args }: SbiCall): ReturnType<Extension> {
	const type = word(args[0]);
	if (type !== RETENTIVE && type !== NON_RETENTIVE) return failure('INVALID_PARAM');
	if (type === NON_RETENTIVE && !executable(machine, args[1])) return failure('INVALID_ADDRESS');
	const hart = machine.ports.harts[id];
	machine.harts[id] = { stopped: false, suspendedAt: hart.retired };
	if (type === RETENTIVE) {
		hart.suspend(undefined);
		return success();
	}
	hart.suspend({ pc: args[1], opaque: args[2] });
	return undefined;
}

function status({ ports, harts }: SbiMachine, id: number): bigint {
	const { stopped, suspendedAt } = harts[id];
	if (stopped) return HartStatus.STOPPED;
	const { waiting, retired } = ports.harts[id];
	const suspended = waiting && retired === suspendedAt;
	return suspended ? HartStatus.SUSPENDED : HartStatus.STARTED;
}

/** Whether a hart can start at a physical address: there is memory, and it is a multiple of 2 (IALIGN is 16). */
function executable({ ports }: SbiMachine, address: bigint): boolean {
	const physical = physicalAddress(address);
	return physical !== undefined && physical % 2 === 0 && ports.memory.read(physical, new Uint8Array(2));
}
