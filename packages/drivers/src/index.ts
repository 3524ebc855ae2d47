/**
 * Drivers for device models, with multiplexers to several clients: run-to-completion handlers over plain state, linked into a
 * kernel or in a protection domain.
 *
 * @packageDocumentation
 */
export type { ByteRing } from './byte-ring.ts';
export { bytesMessage, CONSOLE_BYTES, ConsoleAnswer, ConsoleRequest, messageBytes } from './console-protocol.ts';
export {
	type ConsoleClient,
	type ConsoleClientState,
	ConsoleServer,
	type ConsoleServerOptions,
	type ConsoleServerState,
} from './console-server.ts';
export type { DriverEnvironment, Message } from './environment.ts';
export {
	LinkedConsole,
	type LinkedConsoleEnvironment,
	type LinkedConsoleState,
	linkedConsole,
} from './linked-console.ts';
export { Uart, type UartState } from './uart.ts';
