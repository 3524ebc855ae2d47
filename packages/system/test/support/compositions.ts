// Both compositions with all their parts, for tests that hold each to the same.
import { linkedConsole } from '@partita/drivers';
import { assembleHypervisor } from '../../src/hypervisor.ts';
import {
	type AssemblyOptions,
	type CompositionName,
	checkSystem,
	planSystem,
	type RunningSystem,
	type SystemDescription,
} from '../../src/index.ts';
import { assembleMicrokernel } from '../../src/microkernel.ts';
import { fixedPriority, plic, roundRobin, uart } from '../../src/parts.ts';

const policies = { 'fixed-priority': fixedPriority, 'round-robin': roundRobin };
const devices = { uart, plic };

export const COMPOSITIONS: readonly CompositionName[] = ['hypervisor', 'microkernel'];

/** Checks, plans and assembles. */
export function assemble(
	description: SystemDescription,
	composition: CompositionName,
	options: AssemblyOptions = {},
): RunningSystem {
	const plan = planSystem(checkSystem(description), composition);
	return composition === 'hypervisor'
		? assembleHypervisor(plan, { policies, devices, console: linkedConsole }, options)
		: assembleMicrokernel(plan, { policies, devices }, options);
}
