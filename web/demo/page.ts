/** The element with this id and of this kind, which index.html is known to have. */
export function element<T extends HTMLElement = HTMLElement>(
  id: string,
  kind: new () => T = HTMLElement as unknown as new () => T,
): T {
  const found = document.getElementById(id);
  if (!(found instanceof kind)) throw new Error(`index.html has no ${kind.name} #${id}`);
  return found;
}

/** Puts `title` and the error's own words where people read them. */
export function showError(box: HTMLElement, title: string, error: unknown): void {
  const strong = document.createElement('strong');
  strong.textContent = title;
  const words = error instanceof Error ? error.message : String(error);
  box.replaceChildren(strong, words);
  box.hidden = false;
}

/** Fills a <dl>. A fact may have a second line, in smaller print. */
export function showFacts(list: HTMLElement, facts: readonly (readonly [string, string, string?])[]): void {
  list.replaceChildren(
    ...facts.flatMap(([name, value, remark]) => {
      const term = document.createElement('dt');
      term.textContent = name;
      const detail = document.createElement('dd');
      detail.textContent = value;
      if (remark) {
        const small = document.createElement('small');
        small.textContent = remark;
        detail.append(small);
      }
      return [term, detail];
    }),
  );
  list.hidden = false;
}

const percentFormat = new Intl.NumberFormat('en', { style: 'percent', maximumFractionDigits: 1 });
export function percent(share: number): string {
  // 100 % and 0 % are said only of what is.
  if (share > 0.9995 && share < 1) return '> 99.9%';
  if (share < 0.0005 && share > 0) return '< 0.1%';
  return percentFormat.format(share);
}

const millisecondsFormat = new Intl.NumberFormat('en', { maximumSignificantDigits: 3 });
export const milliseconds = (ms: number) =>
  `${millisecondsFormat.format(ms < 1000 ? Number(ms.toFixed(1)) : ms)} ms`;

const megabytesFormat = new Intl.NumberFormat('en', { minimumFractionDigits: 1, maximumFractionDigits: 1 });
export const megabytes = (bytes: number) => `${megabytesFormat.format(bytes / 1e6)} MB`;

const countFormat = new Intl.NumberFormat('en', {
  notation: 'compact',
  compactDisplay: 'long',
  maximumSignificantDigits: 3,
});
export const count = (n: number) => countFormat.format(n);
