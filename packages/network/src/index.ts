/**
 * A virtual Ethernet switch: MAC learning, firewall rules and rate limits per port, observed frames.
 *
 * @packageDocumentation
 */
export { addressAt, EtherType, type FrameFields, formatAddress, IpProtocol, readFields } from './frame.ts';
export { compileRules, type Firewall, type FirewallRule } from './rules.ts';
export {
	type DropReason,
	parseAddress,
	type SwitchDescription,
	type SwitchEnvironment,
	type SwitchPort,
	type SwitchPortCounters,
	type SwitchPortDescription,
	type SwitchState,
	VirtualSwitch,
} from './switch.ts';
export { type RateLimit, TokenBucket, type TokenBucketState } from './token-bucket.ts';
