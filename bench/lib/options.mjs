// The command line.
import { parseArgs } from 'node:util';
import { Failure } from '../../scripts/lib/run.mjs';
import { SIZES } from './vit.mjs';

export const ENGINES = { vitrine: 'Vitrine', ort: 'onnxruntime-web' };

const HELP = `npm run bench -- [options]: times Vitrine and onnxruntime-web side by side in Chromium

  --models tiny,small,base   ViT sizes
  --threads 1,2              numbers of threads
  --engines vitrine,ort      what is timed
  --rounds 8                 undisturbed rounds wanted for each model and number of threads
  --cold 5                   cold starts of each engine with ViT-Tiny; 0 for none
  --native                   time build/native/vitrine as well
  --quick                    --rounds 3 --cold 2
  --out FILE                 where the samples go as JSON (bench/results/<date>.json)
  --help`;

/** Parses the arguments; null after printing the help. */
export function parseOptions(args) {
  const { help, quick, ...given } = parse(args);
  if (help) {
    console.log(HELP);
    return null;
  }
  return {
    models: oneOf('--models', given.models, Object.keys(SIZES)),
    threads: given.threads.split(',').map((text) => integer('--threads', text, 1)),
    engines: oneOf('--engines', given.engines, Object.keys(ENGINES)),
    rounds: integer('--rounds', given.rounds ?? (quick ? '3' : '8'), 1),
    cold: integer('--cold', given.cold ?? (quick ? '2' : '5'), 0),
    native: given.native,
    out: given.out,
  };
}

function parse(args) {
  const string = (value) => ({ type: 'string', ...(value && { default: value }) });
  const flag = { type: 'boolean', default: false };
  try {
    return parseArgs({
      args,
      options: {
        models: string(Object.keys(SIZES).join()),
        threads: string('1,2'),
        engines: string(Object.keys(ENGINES).join()),
        rounds: string(),
        cold: string(),
        native: flag,
        quick: flag,
        out: string(),
        help: flag,
      },
    }).values;
  } catch (error) {
    throw new Failure(`${error.message}\n\n${HELP}`);
  }
}

function oneOf(option, text, known) {
  const names = text.split(',');
  const unknown = names.find((name) => !known.includes(name));
  if (unknown !== undefined) {
    throw new Failure(`${option}: '${unknown}', expected some of ${known.join(',')}`);
  }
  return names;
}

function integer(option, text, least) {
  const value = Number(text);
  if (Number.isInteger(value) && value >= least) return value;
  throw new Failure(`${option}: '${text}', expected an integer of at least ${least}`);
}
