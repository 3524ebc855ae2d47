/** The devices of a virtual machine, from the parts that an assembly was given. */
import type { VirtualMachineOptions } from '@partita/vmm';
import { DEVICE_BYTES } from './checks.ts';
import type { DeviceParts } from './parts.ts';
import type { VmPlan } from './plan.ts';
import { missingPart } from './running.ts';

/** What a virtual machine is made of, its name and how it is identified apart. */
export type MachineParts = Pick<
	VirtualMachineOptions,
	'memory' | 'boot' | 'reboot' | 'devices' | 'interruptController'
>;

/** @throws SystemError for a device whose part is missing */
export function machineParts({ cell, vm, parts, entry, deviceTree }: VmPlan, given: DeviceParts): MachineParts {
	const place = `${cell.name}.vm.devices`;
	const window = (kind: keyof typeof DEVICE_BYTES, index: number, base: number) => ({
		name: `${kind}${index}`,
		base,
		size: DEVICE_BYTES[kind],
	});
	const devices = vm.devices.flatMap(({ kind, address, interrupt }, index) => {
		if (kind !== 'uart') return [];
		if (!given.uart) throw missingPart(place, kind);
		return [{ ...window(kind, index, address), create: given.uart, ...(interrupt === undefined ? {} : { interrupt }) }];
	});
	const controller = vm.devices.findIndex(({ kind }) => kind === 'plic');
	if (controller >= 0 && !given.plic) throw missingPart(place, 'plic');
	return {
		memory: { base: vm.base, size: vm.memory },
		boot: { parts, entry, deviceTree },
		reboot: vm.reboot,
		devices,
		...(controller < 0 || !given.plic
			? {}
			: {
					interruptController: { ...window('plic', controller, vm.devices[controller]!.address), create: given.plic },
				}),
	};
}
