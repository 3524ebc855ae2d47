/** From a description to a system: shape, checks, admission. Nothing is started, no file is read. */
import { checkAdmission } from './admission.ts';
import { compositionsOf, problemsOf } from './checks.ts';
import { type Problem, placeOf, SystemError } from './problems.ts';
import { type ShapedSystem, shape } from './schema.ts';
import type { Cell, Image, Scheduling, System } from './system.ts';

/**
 * Checks a description.
 * @param description - of any origin: it is trusted in nothing
 * @throws SystemError with everything that cannot be
 */
export function checkSystem(description: unknown): System {
	const shaped = shape(description);
	if ('problems' in shaped) throw new SystemError(shaped.problems);
	const problems: Problem[] = problemsOf(shaped.system);
	if (problems.length > 0) throw new SystemError(problems);
	const system = resolve(shaped.system);
	checkAdmission(system, (path, reason, advice) => problems.push({ place: placeOf(path), reason, advice }));
	if (problems.length > 0) throw new SystemError(problems);
	return system;
}

/** Without the keys that are undefined. */
function defined<T extends object>(value: T): { [K in keyof T]: Exclude<T[K], undefined> } {
	return Object.fromEntries(Object.entries(value).filter(([, each]) => each !== undefined)) as {
		[K in keyof T]: Exclude<T[K], undefined>;
	};
}

function resolve(shaped: ShapedSystem): System {
	const { name, about, machine, duration, scheduling, admission, images, cells, channels } = shaped;
	return {
		name,
		...(about === undefined ? {} : { about }),
		machine,
		duration,
		scheduling: defined(scheduling),
		admission,
		images: Object.fromEntries(Object.entries(images).map(([key, image]) => [key, resolveImage(image)])),
		cells: cells.map((cell) => resolveCell(cell, images)),
		channels: channels.map(({ to, ...rest }) => ({ ...rest, to: defined(to) })),
		compositions: compositionsOf(shaped),
	};
}

function resolveImage(image: ShapedSystem['images'][string]): Image {
	if (!('guest' in image)) return image;
	const complete = <T extends { readonly period: number; readonly deadline?: number | undefined }>(task: T) => ({
		...task,
		deadline: task.deadline ?? task.period,
	});
	if (image.guest === 'real-time') {
		const { guest, control, background } = image;
		return { guest, control: complete(control), ...(background ? { background } : {}) };
	}
	if (image.guest === 'periodic') return { guest: image.guest, task: complete(image.task) };
	return image;
}

function resolveCell(cell: ShapedSystem['cells'][number], images: ShapedSystem['images']): Cell {
	const { vm, domains, placement, name, about, licence } = cell;
	return {
		...defined({ name, about, licence }),
		...(vm
			? {
					vm: defined({
						scheduling: resolveScheduling(vm),
						image: vm.image,
						memory: vm.memory,
						base: vm.base,
						deviceTree: vm.deviceTree ?? 'file' in images[vm.image]!,
						append: vm.append,
						initrd: vm.initrd,
						devices: vm.devices.map(defined),
						monitor: vm.monitor ? resolveScheduling(vm.monitor) : { priority: vm.priority },
						reboot: vm.reboot,
					}),
				}
			: {}),
		domains: domains.map((domain) => ({
			name: domain.name,
			scheduling: resolveScheduling(domain),
			image: domain.image,
			stack: domain.stack,
			passive: domain.passive,
		})),
		placement: defined(placement),
	} as Cell;
}

function resolveScheduling({
	priority,
	budget,
	period,
	slice,
}: {
	readonly priority: number;
	readonly budget?: number | undefined;
	readonly period?: number | undefined;
	readonly slice?: number | undefined;
}): Scheduling {
	return defined({ priority, budget, period, slice }) as Scheduling;
}
