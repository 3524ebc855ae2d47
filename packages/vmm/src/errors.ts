/** What can be wrong with a virtual machine's description. */
export class VmError extends Error {
	constructor(message: string) {
		super(message);
		this.name = 'VmError';
	}
}
