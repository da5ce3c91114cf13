// The answer: labelled bars, a sentence for screen readers, and where the time went.
import type { Classification } from 'vitrine';
import { element, milliseconds, percent, showError, showFacts } from './page.js';

const status = element('status');
const error = element('picture-error');
const labels = element('labels');
const timing = element('timing');

/** Why there is no result (yet). */
export function showStatus(words: string): void {
  error.hidden = timing.hidden = true;
  labels.replaceChildren();
  status.classList.remove('visually-hidden');
  status.textContent = words;
}

export function showPictureError(reason: unknown): void {
  showStatus('');
  showError(error, 'This picture could not be classified.', reason);
}

export function showResult(result: Classification): void {
  showStatus('');
  labels.replaceChildren(
    ...result.labels.map(({ index, label, score }) => row(label || `Class ${index}`, score)),
  );
  const [best] = result.labels;
  // The list shows it; this line says it.
  status.classList.add('visually-hidden');
  status.textContent = best
    ? `It looks like ${best.label || `class ${best.index}`}, ${percent(best.score)}`
    : '';
  const { decode, preprocess, inference } = result.timing;
  showFacts(timing, [
    ['Decoding', milliseconds(decode)],
    ['Preparing', milliseconds(preprocess)],
    ['Inference', milliseconds(inference)],
  ]);
}

function row(label: string, score: number): HTMLLIElement {
  const item = document.createElement('li');
  const part = (className: string, text: string) => {
    const span = document.createElement('span');
    span.className = className;
    span.textContent = text;
    return span;
  };
  const bar = part('bar', '');
  bar.style.setProperty('--score', String(score));
  item.append(bar, part('label', label), part('score', percent(score)));
  return item;
}
