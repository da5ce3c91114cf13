export function median(values) {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

/** The largest |a - b|, relative to the largest |b|; NaN when a value is. */
export function maxRelativeDifference(a, b) {
  if (a.length !== b.length) return Infinity;
  const difference = Math.max(...a.map((value, i) => Math.abs(value - b[i])));
  return difference / Math.max(...b.map(Math.abs));
}
