// An embedded gateway: a real-time side with urgent and background work of its own, beside a media program, on one hart.
//
// As a hypervisor the real-time side is one virtual machine, which holds both its tasks; its server must be generous enough
// for the control task and short enough in period, and its background work runs inside of it. As a microkernel its tasks are
// threads: control above media above background. Both are tuned for the same load.
import { defineSystem } from '@partita/system';

const CONTROL = { name: 'control', period: '1ms', work: 200_000 };
const BACKGROUND = { name: 'background', work: 10_000 };

export const gateway = defineSystem({
	name: 'gateway',
	about: 'A 1 kHz control task and its background work, a media program, and two programs that talk to each other',
	machine: { memory: '32MiB', costs: 'u54h' },
	duration: '1s',
	scheduling: { policy: 'fixed-priority' },
	admission: 'utilisation',
	images: {
		'real-time': { guest: 'real-time', control: CONTROL, background: BACKGROUND },
		media: { guest: 'real-time', control: { name: 'media', period: '10ms', work: 6_000_000 } },
		control: { guest: 'periodic', task: CONTROL },
		background: { guest: 'busy', task: BACKGROUND },
		ping: { guest: 'ping', endpoint: 1 },
		pong: { guest: 'pong', endpoint: 1, reply: 2 },
	},
	cells: [
		{
			name: 'real-time',
			about: 'Control, and what it does beside',
			licence: 'Apache-2.0',
			vm: { image: 'real-time', memory: '2MiB', priority: 200, budget: '72us', period: '250us' },
			domains: [
				{ name: 'control', image: 'control', priority: 200, budget: '220us', period: '1ms' },
				{ name: 'background', image: 'background', priority: 20 },
			],
			placement: { hypervisor: 'vm', microkernel: 'domains' },
		},
		{
			name: 'media',
			about: 'A frame every 10 ms: the rich side, a virtual machine in both',
			licence: 'Apache-2.0',
			vm: {
				image: 'media',
				memory: '2MiB',
				priority: 100,
				budget: '6.5ms',
				period: '10ms',
				monitor: { priority: 150 },
			},
			placement: { hypervisor: 'vm', microkernel: 'vm' },
		},
		{
			name: 'pair',
			about: 'Calls and answers, within 2 % of the processor',
			licence: 'Apache-2.0',
			domains: [
				{ name: 'ping', image: 'ping', priority: 50, budget: '200us', period: '10ms' },
				{ name: 'pong', image: 'pong', priority: 50, passive: true },
			],
			placement: { hypervisor: 'none', microkernel: 'domains' },
		},
	],
	channels: [
		{
			name: 'service',
			kind: 'endpoint',
			from: { domain: 'ping', slot: 1 },
			to: { domain: 'pong', slot: 1, reply: 2 },
		},
	],
});
