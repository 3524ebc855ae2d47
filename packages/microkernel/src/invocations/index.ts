/** Invocations of kernel objects, by the kind of the object. seL4 reference manual, "seL4 API Reference"; object-api.xml. */
import { ObjectKind } from '@partita/capability';
import { ILLEGAL, type Invocation, invalidCapability, type Outcome } from '../invocation.ts';
import type { InvocationName } from '../profile.ts';
import { invokeCNode } from './cnode.ts';
import { invokeIrqControl, invokeIrqHandler } from './irq.ts';
import { invokeDomain, invokeSchedContext, invokeSchedControl } from './sched.ts';
import { invokeTcb } from './tcb.ts';
import { invokeUntyped } from './untyped.ts';
import { invokeAsidControl, invokeAsidPool, invokePage, invokePageTable } from './vspace.ts';

type Method = (invocation: Invocation, name: InvocationName) => Outcome;

const METHODS: ReadonlyMap<number, Method> = new Map<number, Method>([
	[ObjectKind.Untyped, invokeUntyped],
	[ObjectKind.Tcb, invokeTcb],
	[ObjectKind.CNode, invokeCNode],
	[ObjectKind.SchedContext, invokeSchedContext],
	[ObjectKind.SchedControl, invokeSchedControl],
	[ObjectKind.Domain, invokeDomain],
	[ObjectKind.IrqControl, invokeIrqControl],
	[ObjectKind.IrqHandler, invokeIrqHandler],
	[ObjectKind.Page, invokePage],
	[ObjectKind.MegaPage, invokePage],
	[ObjectKind.GigaPage, invokePage],
	[ObjectKind.PageTable, invokePageTable],
	[ObjectKind.AsidControl, invokeAsidControl],
	[ObjectKind.AsidPool, invokeAsidPool],
]);

/** Invokes whatever the capability names, with a label. */
export function invoke(invocation: Invocation, label: number): Outcome {
	const { parts, capability } = invocation;
	const method = METHODS.get(parts.space.kind(capability));
	if (!method) return invalidCapability(0);
	const name = parts.labels.get(label);
	return name === undefined ? ILLEGAL : method(invocation, name);
}
