// The other side of every device, for tests: guest memory, ports that remember, a driver for virtqueues.
export { MockMemory, type MockRegion } from './mock-memory.ts';
export { MockClock, MockConsole, MockLine, MockObserver, SeededRandom } from './mock-ports.ts';
