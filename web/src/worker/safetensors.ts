// Just enough of the safetensors format for true progress: the size of the file from its header,
// which counts even where the server compresses the file or announces no length. The core reads
// (and checks) the format for good.

/** A header above this size is left to the core to judge. */
const MAX_HEADER_BYTES = 16 << 20;

/** Fed with the first bytes of a file until they tell its size. */
export class SizeReader {
  #start: Uint8Array = new Uint8Array(0);
  /** Bytes of the whole file; 0 until known. */
  size = 0;
  #done = false;

  push(chunk: Uint8Array): void {
    if (this.#done) return;
    const start = new Uint8Array(this.#start.length + chunk.length);
    start.set(this.#start);
    start.set(chunk, this.#start.length);
    this.#start = start;
    if (start.length < 8) return;
    // u64 length of the JSON header, little-endian; then the header; then the tensors.
    const headerBytes = Number(new DataView(start.buffer).getBigUint64(0, true));
    if (headerBytes <= MAX_HEADER_BYTES && start.length < 8 + headerBytes) return;
    this.#done = true;
    this.#start = new Uint8Array(0);
    if (headerBytes <= MAX_HEADER_BYTES) this.size = sizeOf(start.subarray(8, 8 + headerBytes));
  }
}

function sizeOf(header: Uint8Array): number {
  try {
    const tensors = JSON.parse(new TextDecoder().decode(header)) as Record<
      string,
      { data_offsets?: [number, number] }
    >;
    const ends = Object.values(tensors).map(({ data_offsets: offsets }) => offsets?.[1] ?? 0);
    const size = 8 + header.length + ends.reduce((a, b) => Math.max(a, b), 0);
    return Number.isSafeInteger(size) ? size : 0;
  } catch {
    return 0; // not JSON: the core will say so
  }
}
