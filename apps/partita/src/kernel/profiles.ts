// Versions of the binary interface by the names that the command line has for them.
import { type AbiProfile, MICROKIT_2_0_1, MICROKIT_2_3, SEL4_MCS_16 } from '@partita/microkernel';

/** Profiles by name. */
export const PROFILES: Readonly<Record<string, AbiProfile>> = {
	'sel4-16-mcs': SEL4_MCS_16,
	'microkit-2.3': MICROKIT_2_3,
	'microkit-2.0.1': MICROKIT_2_0_1,
};

/** That of root tasks where --profile does not say. */
export const DEFAULT_PROFILE = 'sel4-16-mcs';
/** Those of Microkit's programs; the first is the default. */
export const MICROKIT_PROFILES = ['microkit-2.3', 'microkit-2.0.1'] as const;
