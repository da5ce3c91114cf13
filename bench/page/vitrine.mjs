// Vitrine as its users call it.
import { Classifier } from '/vitrine/index.js';

/** Resolves to a function from pixels [3, 224, 224] to a promise of logits [1000]. */
export async function load(folder, threads) {
  const classifier = await Classifier.load(folder, { threads });
  if (classifier.info.threads !== threads) {
    throw new Error(`${classifier.info.threads} threads: ${classifier.info.threadsReason}`);
  }
  return (pixels) => classifier.logits(pixels);
}
