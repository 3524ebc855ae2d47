/**
 * Parts that a description can ask for, one constant each, so that a bundler links those that an assembly is given and no
 * others: policies of `@partita/sched`, and devices that virtual machines find.
 */
import { Ns16550a } from '@partita/devices';
import { Plic } from '@partita/intc';
import { FixedPriority, RoundRobin } from '@partita/sched';
import type { InterruptControllerDescription, VirtualDeviceDescription } from '@partita/vmm';
import type { PolicyDescription } from './description.ts';
import { policyOptions } from './running.ts';
import type { Policy } from './system.ts';

/** Makes a policy, fresh, for one system. */
export type PolicyPart<P> = (policy: Policy) => P;

/** Policies by the names that descriptions use. */
export type PolicyParts<P> = Readonly<Partial<Record<PolicyDescription['policy'], PolicyPart<P>>>>;

/** How devices of virtual machines are made. */
export interface DeviceParts {
	/** A serial port. */
	readonly uart?: VirtualDeviceDescription['create'];
	/** An interrupt controller. */
	readonly plic?: InterruptControllerDescription['create'];
}

/** Preemptive fixed priorities with budgets. */
export const fixedPriority: PolicyPart<FixedPriority> = (policy) => new FixedPriority(policyOptions(policy));

/** Turns for everybody, with budgets. */
export const roundRobin: PolicyPart<RoundRobin> = (policy) => {
	if (policy.policy !== 'round-robin') throw new RangeError(`${policy.policy} is not round-robin`);
	return new RoundRobin(policy);
};

/** An ns16550a on the guest's console. */
export const uart: NonNullable<DeviceParts['uart']> = (ports) =>
	new Ns16550a({ ...ports, onRoom: () => ports.inputReady() });

/** A PLIC; context n is the supervisor of virtual CPU n. */
export const plic: NonNullable<DeviceParts['plic']> = (contexts) => new Plic({ contexts: [...contexts] });
