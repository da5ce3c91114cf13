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
 * Starts each engine `count` times, each time in a fresh browser, in turn: A B, B A, A B ... A time is that
 * from the beginning of the navigation to the first label. Resolves to the same as measureRuns.
 */
export async function measureColdStarts({ engines, model, threads, count, ...opening }) {
  await calibrate(threads);
  const rounds = [];
  while (rounds.length < count) {
    const round = { canaryMs: 0, times: {} };
    for (const engine of inTurn(engines, rounds.length)) {
      const page = await openEngine({ engine, model, threads, ...opening });
      await page.close();
      round.times[engine] = [page.start.coldMs];
      round.canaryMs = Math.max(round.canaryMs, page.start.canaryMs);
    }
    rounds.push(round);
  }
  return summary({ engines, model, threads, rounds, wanted: Math.ceil(count / 2) });
}

/**
 * Times the engines in turn on one model, each in a page of its own, until `rounds` rounds were undisturbed
 * or the time is up. Resolves to { model, threads, times, worst, rounds, difference, files }: milliseconds and
 * files fetched by engine, the disturbance of the worst round that counts, and how far the engines' logits are
 * apart, relative to the largest.
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
    const files = Object.fromEntries(pages.map(({ engine, start }) => [engine, start.files]));
    return { ...summary({ engines, model, threads, rounds, wanted }), difference, files };
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

function quiet(rounds, threads) {
  return rounds.filter(({ canaryMs }) => disturbance(canaryMs, threads) <= CANARY_LIMIT);
}

/** Keeps the undisturbed rounds, topped up to `wanted` with the least disturbed ones. */
function summary({ engines, model, threads, rounds, wanted }) {
  const byCanary = [...rounds].sort((a, b) => a.canaryMs - b.canaryMs);
  const kept = byCanary.slice(0, Math.max(wanted, quiet(rounds, threads).length));
  for (const round of rounds) round.kept = kept.includes(round);
  const worst = Math.max(...kept.map(({ canaryMs }) => disturbance(canaryMs, threads)));
  const times = engines.map((engine) => [engine, kept.flatMap((round) => round.times[engine])]);
  return { model, threads, times: Object.fromEntries(times), worst, rounds };
}
