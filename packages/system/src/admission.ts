/**
 * Whether the budgets that a description promises can all be had: each is a task (budget, period) at its priority, which is
 * what a sporadic server is to the others. The kernel's own time is not in it: leave room.
 */
import { isSchedulable, responseTimes, utilisation } from '@partita/sched';
import type { Report } from './checks.ts';
import type { CompositionName } from './description.ts';
import type { Path } from './problems.ts';
import type { Scheduling, System } from './system.ts';

interface Entity extends Scheduling {
	readonly name: string;
	readonly path: Path;
}

/** Everything that has processor time of its own in a composition. */
function entitiesOf(system: System, composition: CompositionName): Entity[] {
	return system.cells.flatMap(({ name, vm, domains, placement }, index) => {
		const path = ['cells', index];
		if (placement[composition] === 'vm' && vm) return [{ name, ...vm.scheduling, path: [...path, 'vm'] }];
		if (placement[composition] !== 'domains') return [];
		return domains.flatMap((domain, number) =>
			domain.passive ? [] : [{ name: domain.name, ...domain.scheduling, path: [...path, 'domains', number] }],
		);
	});
}

/** Reports promises that do not hold. */
export function checkAdmission(system: System, report: Report): void {
	if (system.admission === 'none') return;
	if (system.admission === 'response-time' && system.scheduling.policy !== 'fixed-priority') {
		report(
			['admission'],
			`response times are analysed for fixed priorities, not ${system.scheduling.policy}`,
			'promise utilisation',
		);
		return;
	}
	for (const composition of system.compositions) {
		const entities = entitiesOf(system, composition);
		const budgeted = entities.flatMap(({ budget, period, ...rest }) =>
			budget === undefined || period === undefined ? [] : [{ ...rest, wcet: budget, period }],
		);
		const share = utilisation(budgeted);
		if (share > 1 + 1e-9) {
			report(
				['admission'],
				`the budgets of the ${composition} take ${(share * 100).toFixed(1)} % of the processor`,
				'lower budgets, or promise none',
			);
			continue;
		}
		if (system.admission !== 'response-time') continue;
		const urgent = entities.find(
			({ budget, priority }) => budget === undefined && budgeted.some((task) => task.priority <= priority),
		);
		if (urgent) {
			report(
				[...urgent.path, 'priority'],
				`${urgent.name} has no budget, and nothing below its priority is sure of its own in the ${composition}`,
				'give it a budget, or a lower priority',
			);
			continue;
		}
		if (isSchedulable(budgeted)) continue;
		const late = responseTimes(budgeted).findIndex(({ schedulable }) => !schedulable);
		const { path, name, period } = budgeted[late]!;
		report(
			[...path, 'budget'],
			`in the ${composition}, ${name} cannot be sure of it within ${period} ns`,
			'lower budgets of more urgent ones, or lengthen its period',
		);
	}
}
