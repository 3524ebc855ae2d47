// Keeping virtual time in step with real time: the decision only, as a pure function. Applications read their own wall
// clock, ask here, and sleep. Nothing of this feeds back into virtual time, so a paced run stays deterministic.

/** The pair of instants from which both times are counted. Plain data. */
export interface PacingState {
	/** Host time at the anchor, in nanoseconds of any monotonic clock. */
	readonly host: number;
	/** Virtual time at the anchor, in nanoseconds. */
	readonly virtual: number;
}

/** How closely to follow real time. */
export interface PacingConfig {
	/** Virtual seconds per real second; by default 1. */
	readonly speed?: number;
	/** Virtual time may run ahead by so much before a pause is asked for, in host nanoseconds; by default 1 ms. */
	readonly maxLead?: number;
	/**
	 * Where virtual time has fallen behind by more than this, in host nanoseconds, the debt is forgiven and both clocks
	 * are anchored anew: after a suspended laptop a guest should not race. By default 100 ms.
	 */
	readonly maxLag?: number;
}

/** What {@link pace} decides. */
export interface PacingDecision {
	/** The anchor to pass in next time. */
	readonly state: PacingState;
	/** Host nanoseconds to sleep before going on; 0 where the run should go on at once. */
	readonly sleep: number;
	/** By how much virtual time is ahead of real time (negative: behind), in host nanoseconds, before anchoring anew. */
	readonly lead: number;
	/** Whether the clocks were anchored anew. */
	readonly resynchronized: boolean;
}

/**
 * Decides whether a run that follows real time should go on or pause.
 * @param state - the anchor; `undefined` anchors both clocks here
 * @param hostNow - the host's monotonic time, in nanoseconds
 * @param virtualNow - the machine's virtual time, in nanoseconds
 * @throws RangeError for a speed that is not positive
 */
export function pace(
	state: PacingState | undefined,
	hostNow: number,
	virtualNow: number,
	config: PacingConfig = {},
): PacingDecision {
	const { speed = 1, maxLead = 1_000_000, maxLag = 100_000_000 } = config;
	if (!(speed > 0 && Number.isFinite(speed))) throw new RangeError(`speed must be positive, got ${speed}`);
	const here = { host: hostNow, virtual: virtualNow };
	if (state === undefined) return { state: here, sleep: 0, lead: 0, resynchronized: true };
	const lead = (virtualNow - state.virtual) / speed - (hostNow - state.host);
	if (lead < -maxLag) return { state: here, sleep: 0, lead, resynchronized: true };
	return { state, sleep: lead > maxLead ? lead : 0, lead, resynchronized: false };
}
