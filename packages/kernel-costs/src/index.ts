/**
 * What privileged code costs: operations of kernels at rates with sources.
 *
 * @packageDocumentation
 */
export {
	type CostBasis,
	type CostProfile,
	chargeOf,
	type Operation,
	type OperationCost,
	operations,
	scaleProfile,
} from './profile.ts';
export { free, hypervisorOperations, type PublishedPath, publishedPaths, u54, u54h } from './u54.ts';
