// The tables for people, in Markdown.
import { CANARY_LIMIT } from './machine.mjs';
import { ENGINES } from './options.mjs';
import { median } from './stats.mjs';

const YARDSTICK = 'ort';

/** `results` is what run.mjs writes as JSON. */
export function report(results) {
  const { machine, versions, runs, coldStarts, sizes } = results;
  const heading =
    `Vitrine ${versions.vitrine} and onnxruntime-web ${versions.ort}, float32, one picture of 224 x 224, ` +
    `in ${versions.chromium}; ${machine.cpu}, ${machine.cores} cores; ${results.date.slice(0, 10)}.`;
  const parts = [heading, runsTable(runs), speedUpTable(runs), coldTable(coldStarts), sizeTable(sizes)];
  return parts.filter(Boolean).join('\n\n');
}

function runsTable(runs) {
  if (runs.length === 0) return '';
  const engines = Object.keys(runs[0].engines);
  const native = runs.some((run) => run.native);
  return table(
    [
      'model',
      'threads',
      ...engines.map((engine) => `${ENGINES[engine]}, ms`),
      ...(engines.length > 1 ? ['ratio', 'logits differ by'] : []),
      ...(native ? ['Vitrine native, ms'] : []),
      'canary',
    ],
    runs.map((run) => [
      name(run.model),
      run.threads,
      ...engines.map((engine) => spread(run.engines[engine].times)),
      ...(engines.length > 1 ? [ratio(run, median), run.difference.toExponential(1)] : []),
      ...(native ? [run.native ? `${ms(run.native.median)} (${ms(run.native.minimum)})` : ''] : []),
      canary(run.worst),
    ]),
    'Time of a run: the median, and the least in brackets. The ratio is that of the medians.',
  );
}

function speedUpTable(runs) {
  const single = new Map(runs.filter(({ threads }) => threads === 1).map((run) => [run.model, run]));
  const multiple = runs.filter(({ threads, model }) => threads > 1 && single.has(model));
  if (multiple.length === 0) return '';
  const engines = Object.keys(runs[0].engines);
  return table(
    ['model', 'threads', ...engines.map((engine) => ENGINES[engine])],
    multiple.map(({ model, threads, engines: timed }) => [
      name(model),
      threads,
      ...engines.map((engine) =>
        times(median(single.get(model).engines[engine].times) / median(timed[engine].times)),
      ),
    ]),
    'How much faster than with one thread.',
  );
}

function coldTable(coldStarts) {
  if (coldStarts.length === 0) return '';
  const coldMs = ({ kept }) => median(kept.map((start) => start.coldMs));
  return table(
    ['model', 'threads', 'engine', 'cold start, ms', 'ratio', 'canary'],
    coldStarts.map((result) => {
      const other = coldStarts.find(
        ({ engine, threads }) =>
          engine === YARDSTICK && threads === result.threads && engine !== result.engine,
      );
      return [
        name(result.model),
        result.threads,
        ENGINES[result.engine],
        spread(result.kept.map((start) => start.coldMs)),
        other ? times(coldMs(other) / coldMs(result)) : '',
        canary(result.worst),
      ];
    }),
    'From the beginning of the navigation to the first label, in a fresh browser profile, all files from this machine.',
  );
}

function sizeTable(sizes) {
  const kilobytes = (bytes) => (bytes / 1000).toFixed(0);
  return table(
    ['runtime (JavaScript and WebAssembly)', 'kB', 'kB, brotli'],
    Object.entries(sizes).map(([engine, size]) => [
      ENGINES[engine],
      kilobytes(size.raw),
      kilobytes(size.brotli),
    ]),
  );
}

function ratio({ engines }, statistic) {
  if (!engines.vitrine || !engines[YARDSTICK]) return '';
  return times(statistic(engines[YARDSTICK].times) / statistic(engines.vitrine.times));
}

function canary(worst) {
  return worst <= CANARY_LIMIT ? 'quiet' : `disturbed (${worst.toFixed(2)})`;
}

const name = (model) => `ViT-${model[0].toUpperCase()}${model.slice(1)}`;
const ms = (value) => value.toFixed(value < 100 ? 1 : 0);
const times = (value) => `${value.toFixed(2)} x`;
const spread = (values) => `${ms(median(values))} (${ms(Math.min(...values))})`;

function table(head, rows, caption) {
  const lines = [head, head.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |`);
  return [...(caption ? [caption, ''] : []), ...lines].join('\n');
}
