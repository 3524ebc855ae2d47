// Device models of a RISC-V board. Each is given its ports (interrupt line, clock, guest memory, back end), keeps plain
// state, and never throws at what a guest does.
export {
	type BlockBackend,
	type BlockCompletion,
	type BlockRequest,
	type BlockStatus,
	SECTOR_SIZE,
} from './block/backend.ts';
export { MemoryBlockBackend, type MemoryBlockState } from './block/memory-backend.ts';
export {
	OVERLAY_CLUSTER_SIZE,
	OverlayBlockBackend,
	type OverlayCluster,
	type OverlayState,
} from './block/overlay-backend.ts';
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
export {
	type DeviceEvent,
	type DeviceObserver,
	type DroppedEvent,
	type GuestErrorEvent,
	type HostErrorEvent,
	NO_OBSERVER,
	type StatusEvent,
} from './observer.ts';
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
export {
	type BlkInFlight,
	VIRTIO_BLK_F_BLK_SIZE,
	VIRTIO_BLK_F_FLUSH,
	VIRTIO_BLK_F_RO,
	VIRTIO_BLK_F_SEG_MAX,
	VIRTIO_BLK_F_SIZE_MAX,
	VirtioBlk,
	type VirtioBlkOptions,
	type VirtioBlkState,
} from './virtio/blk.ts';
export {
	VIRTIO_CONSOLE_F_SIZE,
	VirtioConsole,
	type VirtioConsoleOptions,
	type VirtioConsoleState,
} from './virtio/console.ts';
export type { VirtioDevice, VirtioPort } from './virtio/device.ts';
export { type ByteSource, SeededBytes, type SeededBytesState, VirtioEntropy } from './virtio/entropy.ts';
export {
	VIRTIO_MMIO,
	VIRTIO_STATUS,
	VirtioMmio,
	type VirtioMmioOptions,
	type VirtioMmioState,
} from './virtio/mmio.ts';
export {
	type NetBackend,
	VIRTIO_NET_F_MAC,
	VIRTIO_NET_F_MRG_RXBUF,
	VIRTIO_NET_F_STATUS,
	VirtioNet,
	type VirtioNetOptions,
	type VirtioNetState,
} from './virtio/net.ts';
export { readSegments, type Segment, sliceSegments, writeSegments } from './virtio/segments.ts';
export {
	type DescriptorChain,
	type QueuePort,
	SplitQueue,
	type SplitQueueState,
	VIRTIO_F_EVENT_IDX,
	VIRTIO_F_INDIRECT_DESC,
	VIRTIO_F_VERSION_1,
} from './virtio/split-queue.ts';
