// What is measured: cold starts, and steady runs in turn.
import { Failure } from '../../scripts/lib/run.mjs';
import { openEngine } from './browser.mjs';
import { CANARY_LIMIT, calibrate, disturbance, quietCanary } from './machine.mjs';
import { maxRelativeDifference } from './stats.mjs';

const LARGEST_DIFFERENCE = 1e-3;
const RUNS_MS = 1000; // per engine and round
const MOST_RUNS = 8;
const LONGEST_GROUP_MS = 80_000;

/**
 * Starts each engine `count` times, each time in a fresh browser, in turn: A B, B A, A B ...
 * Resolves to one { engine, model, threads, starts } per engine; a start holds milliseconds from the
 * beginning of the navigation to the first label.
 */
export async function measureColdStarts({ engines, model, threads, count, ...opening }) {
  await calibrate(threads);
  const results = engines.map((engine) => ({ engine, model, threads, starts: [] }));
  for (let i = 0; i < count; i++) {
    for (const result of inTurn(results, i)) {
      const page = await openEngine({ engine: result.engine, model, threads, ...opening });
      await page.close();
      const { coldMs, loadedMs, canaryMs, files } = page.start;
      result.files ??= files;
      result.starts.push({ coldMs, loadedMs, canaryMs });
    }
  }
  return results.map((result) => ({ ...result, ...keepQuiet(result.starts, threads, count) }));
}

/**
 * Times the engines in turn on one model, each in a page of its own, until `rounds` rounds were undisturbed
 * or the time is up. Resolves to { model, threads, rounds, difference, engines: { [engine]: { times, files } } },
 * where `difference` is how far the engines' logits are apart, relative to the largest.
 */
export async function measureRuns({ engines, model, threads, rounds: wanted, ...opening }) {
  await calibrate(threads);
  const pages = [];
  try {
    for (const engine of engines) pages.push(await openEngine({ engine, model, threads, ...opening }));
    const difference = compareLogits(pages);
    for (const page of pages) {
      page.runs = Math.min(MOST_RUNS, Math.max(1, Math.round(RUNS_MS / (await page.warmUp()))));
    }
    const rounds = await timeInTurn(pages, threads, wanted);
    const { kept, worst } = keepQuiet(rounds, threads, wanted);
    return {
      model,
      threads,
      difference,
      worst,
      rounds,
      engines: Object.fromEntries(
        pages.map(({ engine, start }) => [
          engine,
          { times: kept.flatMap((round) => round.times[engine]), files: start.files },
        ]),
      ),
    };
  } finally {
    for (const page of pages) await page.close();
  }
}

/** How far the other engines' logits are from the first one's, relative to the largest; null for one engine. */
function compareLogits([first, ...others]) {
  if (others.length === 0) return null;
  const differences = others.map(({ start }) => maxRelativeDifference(start.logits, first.start.logits));
  const difference = Math.max(...differences);
  if (difference < LARGEST_DIFFERENCE) return difference;
  throw new Failure(
    `the engines' logits differ by ${difference} of the largest, expected less than ${LARGEST_DIFFERENCE}; ` +
      'one of them computes something else',
  );
}

async function timeInTurn(pages, threads, wanted) {
  const rounds = [];
  const begin = performance.now();
  while (rounds.length < 2 * wanted && quiet(rounds, threads).length < wanted) {
    if (rounds.length >= wanted && performance.now() - begin > LONGEST_GROUP_MS) break;
    const round = { canaryMs: await quietCanary(threads), times: {} };
    for (const page of inTurn(pages, rounds.length)) {
      round.times[page.engine] = await page.timeRuns(page.runs);
      round.canaryMs = Math.max(round.canaryMs, await quietCanary(threads));
    }
    rounds.push(round);
  }
  return rounds;
}

/** The list itself and the list backwards by turns, so that drift hits all alike. */
function inTurn(list, turn) {
  return turn % 2 === 0 ? list : [...list].reverse();
}

function quiet(samples, threads) {
  return samples.filter(({ canaryMs }) => disturbance(canaryMs, threads) <= CANARY_LIMIT);
}

/** The undisturbed samples, topped up to `wanted` with the least disturbed ones; `worst` is their largest disturbance. */
function keepQuiet(samples, threads, wanted) {
  const byCanary = [...samples].sort((a, b) => a.canaryMs - b.canaryMs);
  const kept = byCanary.slice(0, Math.max(wanted, quiet(samples, threads).length));
  for (const sample of samples) sample.kept = kept.includes(sample);
  return { kept, worst: Math.max(0, ...kept.map(({ canaryMs }) => disturbance(canaryMs, threads))) };
}
