// Device models of a RISC-V board. Each is given its ports (interrupt line, clock, guest memory, back end), keeps plain
// state, and never throws at what a guest does.
export type { ByteQueueState } from './byte-queue.ts';
export {
	FINISHER_FAIL,
	FINISHER_PASS,
	FINISHER_RESET,
	Finisher,
	type FinisherPort,
	type FinisherState,
} from './finisher.ts';
export {
	GoldfishRtc,
	type GoldfishRtcOptions,
	type GoldfishRtcState,
	RTC_ALARM_HIGH,
	RTC_ALARM_LOW,
	RTC_ALARM_STATUS,
	RTC_CLEAR_ALARM,
	RTC_CLEAR_INTERRUPT,
	RTC_IRQ_ENABLED,
	RTC_TIME_HIGH,
	RTC_TIME_LOW,
} from './goldfish-rtc.ts';
export { Htif, type HtifOptions, type HtifPort, type HtifState } from './htif.ts';
export {
	Ns16550a,
	type Ns16550aOptions,
	type Ns16550aState,
	UART_IER_DLM,
	UART_IIR_FCR,
	UART_LCR,
	UART_LSR,
	UART_MCR,
	UART_MSR,
	UART_RBR_THR_DLL,
	UART_SCR,
} from './ns16550a.ts';
export { type DeviceEvent, type DeviceObserver, NO_OBSERVER } from './observer.ts';
export {
	type AccessSize,
	type ConsoleSink,
	type GuestMemory,
	type InterruptLine,
	type MmioDevice,
	NO_CONSOLE,
	NO_LINE,
	type TimerPort,
} from './ports.ts';
export { StateError } from './state-error.ts';
