// The other side of every device, for tests: guest memory, ports that remember, a driver for virtqueues, a slow disk.
export { DeferredBlockBackend, type WaitingRequest } from './deferred-backend.ts';
export { MockMemory, type MockRegion } from './mock-memory.ts';
export { MockClock, MockConsole, MockLine, MockObserver, SeededRandom } from './mock-ports.ts';
export {
	DESC,
	type MockAllocator,
	type MockDescriptor,
	MockQueue,
	MockVirtioDriver,
	type UsedBuffer,
} from './virtio-driver.ts';
