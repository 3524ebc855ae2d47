// Synchronous IPC in the style of seL4 MCS: endpoints, notifications, reply objects and the donation of scheduling
// contexts, over a port. Knows nothing of processors, capabilities or what is in a message.

export { checkState } from './invariants.ts';
export { Ipc, type IpcOptions, type ReceiveOutcome, type SendOutcome } from './ipc.ts';
export {
	Blocked,
	type BlockedOn,
	type ContextId,
	type EndpointId,
	type NotificationId,
	type ReplyId,
	type ThreadId,
	type ThreadPort,
} from './port.ts';
export {
	type ContextColumns,
	type EndpointColumns,
	type IpcState,
	MAX_NUMBER,
	type NotificationColumns,
	type ReplyColumns,
	type ThreadColumns,
} from './state.ts';
