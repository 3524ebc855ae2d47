/** The built-in guests as images. Their parameters were checked with the description. */
import {
	busyProgram,
	periodicProgram,
	pingProgram,
	pongProgram,
	type RealTimeGuestOptions,
	realTimeGuest,
} from '@partita/guests';
import type { Image } from './system.ts';

/**
 * The bytes of a built-in guest.
 * @param base - where the memory of the virtual machine begins that it is for
 */
export function builtInGuest(image: Exclude<Image, { readonly file: string }>, base: number): Uint8Array {
	switch (image.guest) {
		case 'real-time': {
			const { control, background } = image;
			const options: RealTimeGuestOptions = { control, base: BigInt(base) };
			return realTimeGuest(background ? { ...options, background } : options);
		}
		case 'periodic':
			return periodicProgram(image.task);
		case 'busy':
			return busyProgram(image.task);
		case 'ping':
			return pingProgram(image);
		case 'pong':
			return pongProgram(image);
	}
}
