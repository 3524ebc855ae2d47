// Medians, ratios of pairs, and the table of `pnpm bench:machine`.

/** The median of numbers; undefined where there are none. */
export function median(values) {
	const sorted = values.toSorted((a, b) => a - b);
	const middle = sorted.length >> 1;
	return sorted.length % 2 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

const geometricMean = (values) => Math.exp(values.reduce((sum, value) => sum + Math.log(value), 0) / values.length);

/**
 * The table. A row of `results` is `{ name, instructions, seconds }`, with one number a round for each contender. The
 * ratio is the median over the rounds of each round's pair; its range stands beside it.
 */
export function table(results, contenders) {
	const [mine, ...rivals] = contenders;
	const head = ['program', 'M instructions', 'MIPS', `${mine} s`];
	for (const rival of rivals) head.push(`${rival} s`, `${rival}/${mine}`, 'range');
	const ratios = rivals.map(() => []);
	const lines = results.map(({ name, instructions, seconds }) => {
		const own = median(seconds[mine]);
		const cells = [name, (instructions / 1e6).toFixed(0), (instructions / own / 1e6).toFixed(0), own.toFixed(2)];
		rivals.forEach((rival, index) => {
			const pairs = seconds[rival].map((theirs, round) => theirs / seconds[mine][round]);
			ratios[index].push(median(pairs));
			const range = `${Math.min(...pairs).toFixed(2)} to ${Math.max(...pairs).toFixed(2)}`;
			cells.push(median(seconds[rival]).toFixed(2), median(pairs).toFixed(2), range);
		});
		return cells;
	});
	if (lines.length > 1)
		lines.push(['geometric mean', '', '', '', ...ratios.flatMap((r) => ['', geometricMean(r).toFixed(2), ''])]);
	const row = (cells) => `| ${cells.join(' | ')} |\n`;
	return row(head) + row(head.map((_, index) => (index === 0 ? '---' : '---:'))) + lines.map(row).join('');
}

/** What a second stage of translation costs: a table of Partita's seconds, where programs ran both ways. */
export function stagesTable(results, mine) {
	const SUFFIX = ', two stages';
	const rows = results
		.filter(({ name }) => name.endsWith(SUFFIX))
		.flatMap(({ name, seconds }) => {
			const one = results.find((result) => result.name === name.slice(0, -SUFFIX.length));
			return one ? [[one.name, (median(seconds[mine]) / median(one.seconds[mine])).toFixed(2)]] : [];
		});
	if (rows.length === 0) return '';
	return `\n| program | two stages / one |\n| --- | ---: |\n${rows.map((cells) => `| ${cells.join(' | ')} |\n`).join('')}`;
}
