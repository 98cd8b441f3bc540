import { figureNames, type FigureName, figures, formatNumber, spreadOf } from './figures.js';
import type { Result } from './run-bench.js';

const width = 760;
const barLeft = 150;
const barWidth = 420;
const rowHeight = 22;
const titleHeight = 44;

/** The main figure of every workload as bars, each with its spread, on whatever background it is shown. */
export function drawChart(results: readonly Result[]): string {
  const titles = [...new Set(results.map(({ workload }) => workload.title))];
  let y = 0;
  const groups = titles.map((title) => {
    const group = results.filter(
      (result) => result.workload.title === title && isComparable(result),
    );
    const drawn = drawGroup(title, group, y);
    y += titleHeight + rowHeight * group.length;
    return drawn;
  });
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="-8 0 ${width} ${y + 12}" role="img" aria-label="tuskd beside other servers">
<style>
  text { font: 13px system-ui, sans-serif; fill: #1f2328 }
  .title { font-weight: 600 }
  .note, .unit { fill: #59636e }
  .bar { fill: #8c959f } .own { fill: #0969da } .limit { fill: #d1d9e0 }
  .spread { stroke: #1f2328; stroke-opacity: .55 }
  @media (prefers-color-scheme: dark) {
    text { fill: #e6edf3 }
    .note, .unit { fill: #9198a1 }
    .bar { fill: #6e7681 } .own { fill: #4493f8 } .limit { fill: #3d444d }
    .spread { stroke: #e6edf3 }
  }
</style>
${groups.join('\n')}
</svg>
`;
}

/** Writes without requests are so many that all other bars would vanish beside them. */
function isComparable({ contender, workload }: Result): boolean {
  return contender.command !== undefined || workload.load?.durationMs === 0;
}

function drawGroup(title: string, results: readonly Result[], top: number): string {
  const name = figureNames.find((figure) =>
    results.some(({ samples }) => spreadOf(samples, figure) !== undefined),
  );
  if (name === undefined) return '';
  const most = Math.max(...results.map(({ samples }) => spreadOf(samples, name)?.max ?? 0));
  const unit = `${figures[name].title}, ${figures[name].better} is better`;
  return [
    `<text class="title" x="0" y="${top + 30}">${escape(title)} <tspan class="unit" font-weight="400">${unit}</tspan></text>`,
    ...results.map((result, row) =>
      drawBar(result, name, barWidth / most, top + titleHeight + row * rowHeight),
    ),
  ].join('\n');
}

function drawBar(
  { contender, samples }: Result,
  name: FigureName,
  scale: number,
  top: number,
): string {
  const label = `<text x="${barLeft - 8}" y="${top + 13}" text-anchor="end">${escape(contender.name)}</text>`;
  const spread = spreadOf(samples, name);
  if (spread === undefined) return label;
  const [length, min, max] = [spread.median, spread.min, spread.max].map((value) =>
    (value * scale).toFixed(1),
  );
  const kind =
    contender.role === 'limit' ? 'limit' : contender.name.startsWith('tuskd') ? 'own' : '';
  const end = barLeft + spread.max * scale + 8;
  const middle = top + 9;
  return [
    label,
    `<rect class="bar ${kind}" x="${barLeft}" y="${top + 2}" width="${length}" height="14" rx="2"/>`,
    `<path class="spread" d="M${barLeft + Number(min)} ${middle}H${barLeft + Number(max)}"/>`,
    `<text x="${end.toFixed(1)}" y="${top + 13}">${formatNumber(spread.median, figures[name].digits)}${costOf(samples)}</text>`,
  ].join('\n');
}

/** What it cost the server, behind the bar. */
function costOf(samples: Result['samples']): string {
  const perGiB = spreadOf(samples, 'cpuPerGiB');
  const perRequest = spreadOf(samples, 'cpuPerRequest');
  const cost =
    perGiB !== undefined
      ? `${formatNumber(perGiB.median, 2)} s CPU/GiB`
      : perRequest !== undefined && `${formatNumber(perRequest.median, 2)} ms CPU each`;
  return cost === false ? '' : ` <tspan class="note">${cost}</tspan>`;
}

function escape(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;');
}
