// Ports for tests that remember what a device did with them, and a seeded generator.
import type { DeviceEvent, DeviceObserver } from '../observer.ts';
import type { ConsoleSink, InterruptLine, TimerPort } from '../ports.ts';

/** A line that remembers its level and counts its rises. */
export class MockLine implements InterruptLine {
	/** The level now. */
	level = false;
	/** How often the level went up. */
	rises = 0;

	/** Remembers the level. */
	set(level: boolean): void {
		if (level && !this.level) this.rises++;
		this.level = level;
	}
}

/** A console that remembers everything. */
export class MockConsole implements ConsoleSink {
	/** Every byte written. */
	readonly bytes: number[] = [];

	/** Remembers the byte. */
	write(byte: number): void {
		this.bytes.push(byte);
	}

	/** The bytes as Latin-1 text. */
	get text(): string {
		return String.fromCharCode(...this.bytes);
	}
}

/** A clock that a test sets, with one timer. */
export class MockClock implements TimerPort {
	/** Virtual nanoseconds now. */
	nanos = 0;
	/** The deadline that the device set last. */
	deadline: number | undefined;
	/** The clock as devices take it. */
	readonly now: () => number = () => this.nanos;

	setDeadline(nanos: number | undefined): void {
		this.deadline = nanos;
	}
}

/** An observer that remembers every event. */
export class MockObserver implements DeviceObserver {
	/** The events, the oldest first. */
	readonly events: DeviceEvent[] = [];

	/** Remembers the event. */
	report(event: DeviceEvent): void {
		this.events.push(event);
	}

	/** The events of one kind. */
	of(kind: DeviceEvent['kind']): DeviceEvent[] {
		return this.events.filter((event) => event.kind === kind);
	}
}

/** A seeded generator for fuzz tests (mulberry32): the same seed gives the same inputs everywhere. */
export class SeededRandom {
	#state: number;

	constructor(seed: number) {
		this.#state = seed >>> 0;
	}

	/** 32 random bits. */
	bits(): number {
		this.#state = (this.#state + 0x6d2b79f5) >>> 0;
		let mixed = Math.imul(this.#state ^ (this.#state >>> 15), this.#state | 1);
		mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
		return (mixed ^ (mixed >>> 14)) >>> 0;
	}

	/** An integer of at least 0 and less than `bound` (at most 2^32). */
	below(bound: number): number {
		return Math.floor((this.bits() / 2 ** 32) * bound);
	}

	/** One of the items. */
	pick<Item>(items: readonly Item[]): Item {
		return items[this.below(items.length)];
	}
}
