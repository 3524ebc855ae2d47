// Compositions: what they are made of. Each is imported only where it is wanted.
import type { AssemblyOptions, CompositionName, Plan, RunningSystem } from '@partita/system';

export const COMPOSITIONS: readonly CompositionName[] = ['hypervisor'];

/** Assembles a system with the parts that its composition selects. */
export async function assemble(plan: Plan, options: AssemblyOptions): Promise<RunningSystem> {
	const { fixedPriority, plic, roundRobin, uart } = await import('@partita/system/parts');
	const policies = { 'fixed-priority': fixedPriority, 'round-robin': roundRobin };
	const devices = { uart, plic };
	const [{ assembleHypervisor }, { linkedConsole }] = await Promise.all([
		import('@partita/system/hypervisor'),
		import('@partita/drivers'),
	]);
	return assembleHypervisor(plan, { policies, devices, console: linkedConsole }, options);
}
