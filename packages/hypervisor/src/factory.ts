/** How a machine gets the hypervisor as its kernel. */
import type { HostedModes } from '@partita/cpu';
import { checkConfig, type HypervisorConfig } from './config.ts';
import { Hypervisor } from './hypervisor.ts';
import type { HypervisorBoard } from './ports.ts';

/** For the option `kernel` of a `Machine` of `@partita/machine`, whose `HostedKernelFactory` it is; for one machine. */
export interface HypervisorFactory<P> {
	readonly hosted: HostedModes;
	/** The kernel, once a machine has been made with it. */
	readonly kernel: Hypervisor<P> | undefined;
	/** Called by the machine, once. */
	create(board: HypervisorBoard): Hypervisor<P>;
}

/**
 * A hypervisor system, to be given to a machine.
 * @throws HypervisorError for a description that cannot be; what depends on the board is found when the machine is made
 */
export function hypervisor<P>(config: HypervisorConfig<P>): HypervisorFactory<P> {
	checkConfig(config);
	let kernel: Hypervisor<P> | undefined;
	return {
		hosted: { machine: true, supervisor: true },
		get kernel() {
			return kernel;
		},
		create(board) {
			kernel = new Hypervisor(board, config);
			return kernel;
		},
	};
}
