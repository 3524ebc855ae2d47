/**
 * The monitor as a hosted component: it receives at its endpoint, and reaches domains only through the capabilities in its
 * CNode. What it prints is in monitor.ts.
 */
import type { AbiProfile, ComponentBehaviour, ComponentEnvironment, Message } from '@partita/microkernel';
import { MonitorSlots } from './abi.ts';
import type { ProtectionDomain } from './description.ts';
import { Monitor, REGISTER_COUNT } from './monitor.ts';

/** What it waits for. Plain data. */
interface Pending {
	/** Index of the domain. */
	readonly domain: number;
	/** The message that it is about. */
	readonly badge: bigint;
	readonly label: number;
	readonly words: readonly bigint[];
}

/** See the file's head. */
export class MonitorComponent implements ComponentBehaviour {
	readonly #environment: ComponentEnvironment;
	readonly #monitor: Monitor;
	readonly #profile: AbiProfile;
	#pending: Pending | undefined;

	constructor(environment: ComponentEnvironment, domains: readonly ProtectionDomain[], profile: AbiProfile) {
		this.#environment = environment;
		this.#profile = profile;
		const encoder = new TextEncoder();
		this.#monitor = new Monitor(domains, profile.faults, (text) => environment.print(encoder.encode(text)));
	}

	get state(): Pending | undefined {
		return this.#pending;
	}

	restore(state: Pending | undefined): void {
		this.#pending = state;
	}

	init(): void {
		this.#monitor.start();
	}

	/** A domain's request to become passive: SchedContext_Bind of its context to its notification. */
	protected(badge: bigint, message: Message): undefined {
		const domain = this.#monitor.domainOf(badge);
		if (domain === undefined || message.label !== 0) {
			this.#monitor.received(badge, message.label, message.words, undefined);
			return;
		}
		this.#pending = { domain, badge, ...message };
		this.#invoke(MonitorSlots.contexts + domain, 'SchedContextBind', [], [MonitorSlots.notifications + domain]);
	}

	/** A fault: TCB_ReadRegisters first. */
	fault(badge: bigint, fault: Message): undefined {
		const domain = this.#monitor.domainOf(badge);
		if (domain === undefined) {
			this.#monitor.received(badge, fault.label, fault.words, undefined);
			return;
		}
		this.#pending = { domain, badge, ...fault };
		this.#invoke(MonitorSlots.tcbs + domain, 'TCBReadRegisters', [0n, BigInt(REGISTER_COUNT)], []);
	}

	replied({ label, words }: Message): void {
		const pending = this.#pending;
		this.#pending = undefined;
		if (!pending) return;
		if (pending.label === 0) this.#monitor.bound(pending.domain, label === 0);
		else this.#monitor.received(pending.badge, pending.label, pending.words, label === 0 ? words : undefined);
	}

	#invoke(
		slot: number,
		name: 'SchedContextBind' | 'TCBReadRegisters',
		words: readonly bigint[],
		capabilities: readonly number[],
	): void {
		this.#environment.call(slot, { label: this.#profile.invocations[name] ?? 0, words }, capabilities);
	}
}
