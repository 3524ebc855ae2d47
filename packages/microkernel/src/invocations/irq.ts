/** Methods of IRQControl and IRQHandler. */
import { type CapabilityFailure, ObjectKind, Rights, type SlotAddress } from '@partita/capability';
import { LARGEST_IRQ } from '../interrupts.ts';
import {
	DONE,
	emptySlot,
	extraCapability,
	has,
	ILLEGAL,
	type Invocation,
	invalidCapability,
	num,
	type Outcome,
	REVOKE_FIRST,
	rangeError,
	TRUNCATED,
} from '../invocation.ts';
import type { InvocationName } from '../profile.ts';

export function invokeIrqControl(invocation: Invocation, name: InvocationName): Outcome {
	const { words } = invocation;
	// The board's interrupts are all of one kind: the trigger makes no difference.
	const at = name === 'RISCVIRQIssueIRQHandlerTrigger' ? 2 : 1;
	if (name !== 'RISCVIRQIssueIRQHandlerTrigger' && name !== 'IRQIssueIRQHandler') return ILLEGAL;
	if (!has(invocation, at + 2, 1)) return TRUNCATED;
	return issue(invocation, num(words[0]), {
		root: extraCapability(invocation, 0),
		pointer: words[at]!,
		depth: num(words[at + 1]),
	});
}

function issue(invocation: Invocation, irq: number, address: SlotAddress): Outcome {
	const { parts, capability } = invocation;
	if (!(irq >= 1 && irq <= LARGEST_IRQ)) return rangeError(1, LARGEST_IRQ);
	if (parts.interrupts.isHandled(irq)) return REVOKE_FIRST;
	const slot = emptySlot(invocation, address);
	if (typeof slot !== 'number') return slot;
	const object = parts.space.createObject(ObjectKind.IrqHandler);
	const failure: CapabilityFailure | undefined = parts.space.place(slot, object, 0n, capability);
	if (failure) return failure;
	parts.interrupts.handle(irq, object);
	return DONE;
}

export function invokeIrqHandler(invocation: Invocation, name: InvocationName): Outcome {
	const { parts, capability, extra } = invocation;
	const { space, interrupts } = parts;
	const object = space.object(capability);
	const slot = space.slot(object, 0);
	switch (name) {
		case 'IRQAckIRQ': {
			const irq = interrupts.irqOf(object);
			if (irq !== undefined) interrupts.acknowledge(irq);
			return DONE;
		}
		case 'IRQSetIRQHandler': {
			if (!has(invocation, 0, 1)) return TRUNCATED;
			const notification = extraCapability(invocation, 0);
			if (space.kind(notification) !== ObjectKind.Notification || (space.rights(notification) & Rights.Write) === 0)
				return invalidCapability(1);
			space.delete(slot);
			return space.copy(slot, extra[0]!, Rights.All) ?? DONE;
		}
		case 'IRQClearIRQHandler':
			space.delete(slot);
			return DONE;
		default:
			return ILLEGAL;
	}
}
