/** A system as a drawing: cells as boxes, what is in them, channels as arrows; in the languages of Mermaid and Graphviz. */
import type { CompositionName } from './description.ts';
import type { Channel, System } from './system.ts';

/** A cell that exists, and what is in it. */
interface Box {
	readonly cell: string;
	readonly nodes: readonly { readonly id: string; readonly label: string }[];
}

/**
 * The drawing of one composition as text, with a line feed at its end. What has no arrow between it cannot communicate.
 * @param format - `mermaid`: a flowchart; `dot`: a digraph for Graphviz
 */
export function systemGraph(system: System, composition: CompositionName, format: 'mermaid' | 'dot'): string {
	const boxes = system.cells.flatMap(({ name, vm, domains, placement }): Box[] => {
		if (placement[composition] === 'vm' && vm)
			return [{ cell: name, nodes: [{ id: `vm ${name}`, label: `virtual machine, ${schedule(vm.scheduling)}` }] }];
		if (placement[composition] !== 'domains') return [];
		const nodes = domains.map((domain) => ({
			id: `domain ${domain.name}`,
			label: `${domain.name}, ${domain.passive ? 'passive' : schedule(domain.scheduling)}`,
		}));
		return [{ cell: name, nodes }];
	});
	const exists = new Set(boxes.flatMap(({ nodes }) => nodes.map(({ id }) => id)));
	const channels = system.channels.filter(({ from }) => exists.has(`domain ${from.domain}`));
	return format === 'dot' ? dot(system, composition, boxes, channels) : mermaid(boxes, channels);
}

function schedule({ priority, budget, period }: { priority: number; budget?: number; period?: number }): string {
	const server = budget === undefined || period === undefined ? '' : `, ${budget / 1000} of ${period / 1000} µs`;
	return `priority ${priority}${server}`;
}

/** Node numbers: names of cells and domains may be words of the languages. */
function numbers(boxes: readonly Box[]): Map<string, string> {
	return new Map(boxes.flatMap(({ nodes }) => nodes).map(({ id }, index) => [id, `n${index}`]));
}

function mermaid(boxes: readonly Box[], channels: readonly Channel[]): string {
	const ids = numbers(boxes);
	const lines = ['flowchart LR'];
	boxes.forEach(({ cell, nodes }, index) => {
		lines.push(`\tsubgraph c${index}["${cell}"]`);
		for (const { id, label } of nodes) lines.push(`\t\t${ids.get(id)}["${label}"]`);
		lines.push('\tend');
	});
	for (const { name, kind, from, to } of channels) {
		const arrow = kind === 'endpoint' ? '-->' : '-.->';
		lines.push(`\t${ids.get(`domain ${from.domain}`)} ${arrow}|"${name}"| ${ids.get(`domain ${to.domain}`)}`);
	}
	return `${lines.join('\n')}\n`;
}

function dot(system: System, composition: string, boxes: readonly Box[], channels: readonly Channel[]): string {
	const ids = numbers(boxes);
	const lines = [`digraph ${JSON.stringify(`${system.name} as ${composition}`)} {`, '\trankdir=LR; node [shape=box];'];
	boxes.forEach(({ cell, nodes }, index) => {
		lines.push(`\tsubgraph cluster_${index} {`, `\t\tlabel=${JSON.stringify(cell)};`);
		for (const { id, label } of nodes) lines.push(`\t\t${ids.get(id)} [label=${JSON.stringify(label)}];`);
		lines.push('\t}');
	});
	for (const { name, kind, from, to } of channels) {
		const style = kind === 'endpoint' ? '' : ', style=dashed';
		const ends = [from, to].map(({ domain }) => ids.get(`domain ${domain}`));
		lines.push(`\t${ends.join(' -> ')} [label=${JSON.stringify(name)}${style}];`);
	}
	return `${[...lines, '}'].join('\n')}\n`;
}
