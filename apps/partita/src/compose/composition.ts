// The two compositions. Each is imported only where it is wanted: a run as one of them never loads the other's kernel.
import type { AssemblyOptions, CompositionName, Plan, RunningSystem } from '@partita/system';

export const COMPOSITIONS: readonly CompositionName[] = ['hypervisor', 'microkernel'];

/** Assembles a system with the parts that its composition selects. */
export async function assemble(plan: Plan, options: AssemblyOptions): Promise<RunningSystem> {
	const { fixedPriority, plic, roundRobin, uart } = await import('@partita/system/parts');
	const policies = { 'fixed-priority': fixedPriority, 'round-robin': roundRobin };
	const devices = { uart, plic };
	switch (plan.composition) {
		case 'hypervisor': {
			const [{ assembleHypervisor }, { linkedConsole }] = await Promise.all([
				import('@partita/system/hypervisor'),
				import('@partita/drivers'),
			]);
			return assembleHypervisor(plan, { policies, devices, console: linkedConsole }, options);
		}
		case 'microkernel': {
			const { assembleMicrokernel } = await import('@partita/system/microkernel');
			return assembleMicrokernel(plan, { policies, devices }, options);
		}
	}
}
