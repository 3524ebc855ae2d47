/**
 * The binary interface as data: numbers of system calls, labels of invocations and faults, by version of seL4. They are
 * compiled into user programs. What they do is in system-calls.ts, invocations/ and faults.ts.
 * seL4, MCS, RISC-V64: syscall.xml, object-api.xml, object-api-arch.xml, shared_types.bf.
 */

/** Names of the system calls that a profile may number. */
export type SystemCallName =
	| 'Call'
	| 'ReplyRecv'
	| 'NBSendRecv'
	| 'NBSendWait'
	| 'Send'
	| 'NBSend'
	| 'Recv'
	| 'NBRecv'
	| 'Wait'
	| 'NBWait'
	| 'Yield'
	| 'DebugPutChar'
	| 'DebugDumpScheduler'
	| 'DebugHalt'
	| 'DebugCapIdentify'
	| 'DebugSnapshot'
	| 'DebugNameThread'
	| 'BenchmarkNullSyscall'
	| 'SetTLSBase';

/** Names of the invocations that a profile may label; those of virtual CPUs are not seL4's. */
export type InvocationName =
	| 'UntypedRetype'
	| 'TCBReadRegisters'
	| 'TCBWriteRegisters'
	| 'TCBCopyRegisters'
	| 'TCBConfigure'
	| 'TCBSetPriority'
	| 'TCBSetMCPriority'
	| 'TCBSetSchedParams'
	| 'TCBSetTimeoutEndpoint'
	| 'TCBSetIPCBuffer'
	| 'TCBSetSpace'
	| 'TCBSuspend'
	| 'TCBResume'
	| 'TCBBindNotification'
	| 'TCBUnbindNotification'
	| 'TCBSetTLSBase'
	| 'TCBSetFlags'
	| 'CNodeRevoke'
	| 'CNodeDelete'
	| 'CNodeCancelBadgedSends'
	| 'CNodeCopy'
	| 'CNodeMint'
	| 'CNodeMove'
	| 'CNodeMutate'
	| 'CNodeRotate'
	| 'IRQIssueIRQHandler'
	| 'IRQAckIRQ'
	| 'IRQSetIRQHandler'
	| 'IRQClearIRQHandler'
	| 'DomainSetSet'
	| 'DomainScheduleConfigure'
	| 'DomainScheduleSetStart'
	| 'SchedControlConfigureFlags'
	| 'SchedContextBind'
	| 'SchedContextUnbind'
	| 'SchedContextUnbindObject'
	| 'SchedContextConsumed'
	| 'SchedContextYieldTo'
	| 'RISCVPageTableMap'
	| 'RISCVPageTableUnmap'
	| 'RISCVPageMap'
	| 'RISCVPageUnmap'
	| 'RISCVPageGetAddress'
	| 'RISCVASIDControlMakePool'
	| 'RISCVASIDPoolAssign'
	| 'RISCVIRQIssueIRQHandlerTrigger';

/** Names of the faults that a profile labels. */
export type FaultName = 'CapFault' | 'UnknownSyscall' | 'UserException' | 'Timeout' | 'VMFault' | 'VCPUFault';

/** One version of the binary interface. */
export interface AbiProfile {
	/** For messages and reports. */
	readonly name: string;
	/** Values of a7. Without a number a call does not exist: it is an unknown system call. */
	readonly systemCalls: Readonly<Partial<Record<SystemCallName, number>>>;
	/** Labels of messages to kernel objects. */
	readonly invocations: Readonly<Partial<Record<InvocationName, number>>>;
	/** Labels of messages to fault handlers. */
	readonly faults: Readonly<Record<FaultName, number>>;
	/** Scheduling domains: 1 to 256. */
	readonly domains: number;
	/** Entries of the domain schedule. */
	readonly domainSchedules: number;
	/** log2 of the slots of the root task's CNode. */
	readonly rootCNodeBits: number;
}

const SYSTEM_CALLS = {
	Call: -1,
	ReplyRecv: -2,
	NBSendRecv: -3,
	NBSendWait: -4,
	Send: -5,
	NBSend: -6,
	Recv: -7,
	NBRecv: -8,
	Wait: -9,
	NBWait: -10,
	Yield: -11,
	DebugPutChar: -12,
	DebugDumpScheduler: -13,
	DebugHalt: -14,
	DebugCapIdentify: -15,
	DebugSnapshot: -16,
	DebugNameThread: -17,
	BenchmarkNullSyscall: -25,
	SetTLSBase: -33,
} as const;

const FAULTS = { CapFault: 1, UnknownSyscall: 2, UserException: 3, Timeout: 5, VMFault: 6, VCPUFault: 7 } as const;

/** seL4 16.0.0 in its MCS configuration with debugging and printing, on RISC-V64; also the interface of Microkit 2.3. */
export const SEL4_MCS_16: AbiProfile = {
	name: 'seL4 16.0.0 MCS RISC-V64',
	systemCalls: SYSTEM_CALLS,
	invocations: {
		UntypedRetype: 1,
		TCBReadRegisters: 2,
		TCBWriteRegisters: 3,
		TCBCopyRegisters: 4,
		TCBConfigure: 5,
		TCBSetPriority: 6,
		TCBSetMCPriority: 7,
		TCBSetSchedParams: 8,
		TCBSetTimeoutEndpoint: 9,
		TCBSetIPCBuffer: 10,
		TCBSetSpace: 11,
		TCBSuspend: 12,
		TCBResume: 13,
		TCBBindNotification: 14,
		TCBUnbindNotification: 15,
		TCBSetTLSBase: 16,
		TCBSetFlags: 17,
		CNodeRevoke: 18,
		CNodeDelete: 19,
		CNodeCancelBadgedSends: 20,
		CNodeCopy: 21,
		CNodeMint: 22,
		CNodeMove: 23,
		CNodeMutate: 24,
		CNodeRotate: 25,
		IRQIssueIRQHandler: 26,
		IRQAckIRQ: 27,
		IRQSetIRQHandler: 28,
		IRQClearIRQHandler: 29,
		DomainSetSet: 30,
		DomainScheduleConfigure: 31,
		DomainScheduleSetStart: 32,
		SchedControlConfigureFlags: 33,
		SchedContextBind: 34,
		SchedContextUnbind: 35,
		SchedContextUnbindObject: 36,
		SchedContextConsumed: 37,
		SchedContextYieldTo: 38,
		RISCVPageTableMap: 39,
		RISCVPageTableUnmap: 40,
		RISCVPageMap: 41,
		RISCVPageUnmap: 42,
		RISCVPageGetAddress: 43,
		RISCVASIDControlMakePool: 44,
		RISCVASIDPoolAssign: 45,
		RISCVIRQIssueIRQHandlerTrigger: 46,
	},
	faults: FAULTS,
	domains: 1,
	domainSchedules: 2,
	rootCNodeBits: 13,
};

/** The interface of Microkit 2.3: that of seL4 16.0.0 with 16 domains. */
export const MICROKIT_2_3: AbiProfile = {
	...SEL4_MCS_16,
	name: 'Microkit 2.3 (seL4 16.0.0 MCS RISC-V64)',
	domains: 16,
	domainSchedules: 100,
	rootCNodeBits: 17,
};

/** The interface of Microkit 2.0.1: an earlier seL4, with other labels. */
export const MICROKIT_2_0_1: AbiProfile = {
	...SEL4_MCS_16,
	name: 'Microkit 2.0.1 (seL4 MCS RISC-V64)',
	invocations: {
		UntypedRetype: 1,
		TCBReadRegisters: 2,
		TCBWriteRegisters: 3,
		TCBCopyRegisters: 4,
		TCBConfigure: 5,
		TCBSetPriority: 6,
		TCBSetMCPriority: 7,
		TCBSetSchedParams: 8,
		TCBSetTimeoutEndpoint: 9,
		TCBSetIPCBuffer: 10,
		TCBSetSpace: 11,
		TCBSuspend: 12,
		TCBResume: 13,
		TCBBindNotification: 14,
		TCBUnbindNotification: 15,
		TCBSetTLSBase: 16,
		CNodeRevoke: 17,
		CNodeDelete: 18,
		CNodeCancelBadgedSends: 19,
		CNodeCopy: 20,
		CNodeMint: 21,
		CNodeMove: 22,
		CNodeMutate: 23,
		CNodeRotate: 24,
		IRQIssueIRQHandler: 25,
		IRQAckIRQ: 26,
		IRQSetIRQHandler: 27,
		IRQClearIRQHandler: 28,
		DomainSetSet: 29,
		SchedControlConfigureFlags: 30,
		SchedContextBind: 31,
		SchedContextUnbind: 32,
		SchedContextUnbindObject: 33,
		SchedContextConsumed: 34,
		SchedContextYieldTo: 35,
		RISCVPageTableMap: 36,
		RISCVPageTableUnmap: 37,
		RISCVPageMap: 38,
		RISCVPageUnmap: 39,
		RISCVPageGetAddress: 40,
		RISCVASIDControlMakePool: 41,
		RISCVASIDPoolAssign: 42,
		RISCVIRQIssueIRQHandlerTrigger: 43,
	},
	rootCNodeBits: 12,
};
