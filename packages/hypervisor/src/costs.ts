/** A cost profile as the kernel reads it at every entry. */
import { type CostProfile, chargeOf, type Operation, operations } from '@partita/kernel-costs';

/** What an operation costs, in nanoseconds: once, and for each unit. */
export type CostTable = Readonly<Record<Operation, { readonly nanos: number; readonly perUnit: number }>>;

/** Works a profile out. */
export function costTable(profile: CostProfile): CostTable {
	return Object.fromEntries(
		(Object.keys(operations) as Operation[]).map((operation) => {
			const nanos = chargeOf(profile, operation, 0);
			return [operation, { nanos, perUnit: chargeOf(profile, operation, 1) - nanos }];
		}),
	) as CostTable;
}
