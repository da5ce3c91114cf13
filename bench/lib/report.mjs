// The tables for people, in Markdown.
import { CANARY_LIMIT } from './machine.mjs';
import { ENGINES } from './options.mjs';
import { median } from './stats.mjs';

/** `results` is what run.mjs writes as JSON. */
export function report({ date, machine, versions, runs, coldStarts, sizes }) {
  const heading =
    `Vitrine ${versions.vitrine} and onnxruntime-web ${versions.ort}, float32, one picture of 224 x 224, ` +
    `in ${versions.chromium}; ${machine.cpu}, ${machine.cores} cores; ${date.slice(0, 10)}.`;
  const tables = [
    timesTable('Milliseconds of a run: the median, and the least in brackets.', runs),
    speedUpTable(runs),
    timesTable(
      'Milliseconds of a cold start: from the beginning of the navigation to the first label, in a fresh ' +
        'browser profile, with all files from this machine.',
      coldStarts,
    ),
    sizeTable(sizes),
  ];
  return [heading, ...tables.filter(Boolean)].join('\n\n');
}

function timesTable(caption, measurements) {
  if (measurements.length === 0) return '';
  const engines = Object.keys(measurements[0].times);
  const columns = {
    model: ({ model }) => modelName(model),
    threads: ({ threads }) => threads,
  };
  for (const engine of engines) columns[ENGINES[engine]] = ({ times }) => spread(times[engine]);
  if (engines.includes('vitrine') && engines.includes('ort')) {
    columns['Vitrine is faster'] = ({ times }) => factor(median(times.ort) / median(times.vitrine));
  }
  if (measurements.some(({ difference }) => difference)) {
    columns['logits differ by'] = ({ difference }) => difference.toExponential(1);
  }
  if (measurements.some(({ native }) => native)) {
    columns['Vitrine, native'] = ({ native }) => `${digits(native.median)} (${digits(native.minimum)})`;
  }
  columns.machine = ({ worst }) => (worst <= CANARY_LIMIT ? 'quiet' : `disturbed (${worst.toFixed(2)})`);
  return table(caption, columns, measurements);
}

function speedUpTable(runs) {
  const alone = new Map(runs.filter(({ threads }) => threads === 1).map((run) => [run.model, run.times]));
  const together = runs.filter(({ threads, model }) => threads > 1 && alone.has(model));
  if (together.length === 0) return '';
  const columns = { model: ({ model }) => modelName(model), threads: ({ threads }) => threads };
  for (const engine of Object.keys(together[0].times)) {
    columns[ENGINES[engine]] = ({ model, times }) =>
      factor(median(alone.get(model)[engine]) / median(times[engine]));
  }
  return table('How much faster than with one thread.', columns, together);
}

function sizeTable(sizes) {
  const kilobytes = (bytes) => (bytes / 1000).toFixed(0);
  const columns = {
    engine: ([engine]) => ENGINES[engine],
    kB: ([, size]) => kilobytes(size.raw),
    'kB, brotli': ([, size]) => kilobytes(size.brotli),
  };
  return table('Size of the runtime: JavaScript and WebAssembly.', columns, Object.entries(sizes));
}

const modelName = (model) => `ViT-${model[0].toUpperCase()}${model.slice(1)}`;
const digits = (ms) => ms.toFixed(ms < 100 ? 1 : 0);
const spread = (times) => `${digits(median(times))} (${digits(Math.min(...times))})`;
const factor = (value) => `${value.toFixed(2)} x`;

/** `columns` maps each heading to the function that gives a row's cell. */
function table(caption, columns, rows) {
  const lines = [
    Object.keys(columns),
    Object.keys(columns).map(() => '---'),
    ...rows.map((row) => Object.values(columns).map((cell) => cell(row))),
  ];
  return [caption, '', ...lines.map((cells) => `| ${cells.join(' | ')} |`)].join('\n');
}
