// Stand-ins for what Node lacks of a browser.
import type { WeightsSink } from '../../../../web/src/worker/weights.js';

/** A .safetensors file of one tensor of `dataBytes` bytes (1, 2, 3, …). */
export function safetensors(dataBytes: number): Uint8Array<ArrayBuffer> {
  const header = JSON.stringify({
    __metadata__: { format: 'pt' },
    weight: { dtype: 'F32', shape: [dataBytes / 4], data_offsets: [0, dataBytes] },
  });
  const file = new Uint8Array(8 + header.length + dataBytes);
  new DataView(file.buffer).setBigUint64(0, BigInt(header.length), true);
  file.set(new TextEncoder().encode(header), 8);
  for (let i = 0; i < dataBytes; ++i) file[8 + header.length + i] = i + 1;
  return file;
}

/** The bytes in chunks of `chunkBytes`; after `failAfter` bytes, if given, an error. */
export function streamOf(
  bytes: Uint8Array,
  chunkBytes: number,
  failAfter = Infinity,
): ReadableStream<Uint8Array> {
  let offset = 0;
  return new ReadableStream({
    pull(controller) {
      if (offset >= failAfter) {
        controller.error(new TypeError('network error'));
      } else if (offset >= bytes.length) {
        controller.close();
      } else {
        controller.enqueue(bytes.slice(offset, offset + chunkBytes));
        offset += chunkBytes;
      }
    },
  });
}

/** Collects what is written, as the core would, and insists on `expected` bytes at the end. */
export class FakeSink implements WeightsSink {
  restarts = 0;
  finished = false;
  bytes: number[] = [];
  readonly #expected: Uint8Array;

  constructor(expected: Uint8Array) {
    this.#expected = expected;
  }

  restart(): void {
    ++this.restarts;
    this.bytes = [];
  }

  write(bytes: Uint8Array): void {
    this.bytes.push(...bytes);
  }

  /** As the header says: u64 length, the header, the tensors. */
  expected(): number {
    const file = Buffer.from(this.bytes);
    if (file.length < 8) return 0;
    const headerEnd = 8 + Number(file.readBigUInt64LE());
    if (file.length < headerEnd) return 0;
    const header = JSON.parse(file.toString('utf8', 8, headerEnd)) as {
      weight: { data_offsets: [number, number] };
    };
    return headerEnd + header.weight.data_offsets[1];
  }

  finish(): void {
    if (Buffer.compare(Buffer.from(this.bytes), Buffer.from(this.#expected)) !== 0) {
      throw new Error('not the expected file');
    }
    this.finished = true;
  }
}

/** One Cache in memory. An entry appears when its body has ended well, as browsers have it. */
export class FakeCache {
  readonly entries = new Map<string, { body: Uint8Array; headers: Headers }>();
  /** Makes every put fail at this many bytes, as when the disk is full. */
  quota = Infinity;

  match(url: string): Promise<Response | undefined> {
    const entry = this.entries.get(url);
    return Promise.resolve(entry && new Response(new Blob([entry.body.slice()]), { headers: entry.headers }));
  }

  async put(url: string, response: Response): Promise<void> {
    const parts: Uint8Array[] = [];
    let size = 0;
    for await (const part of response.body!) {
      size += part.length;
      if (size > this.quota) throw new DOMException('no space', 'QuotaExceededError');
      parts.push(part);
    }
    this.entries.set(url, { body: Buffer.concat(parts), headers: response.headers });
  }

  asCache(): Cache {
    return this as unknown as Cache;
  }
}

export type Answer = Response | Error;

/** Replaces fetch until `restore`; answers by `${method} ${url}`; unlisted requests have no answer. */
export function fakeFetch(answers: Record<string, () => Answer>): { requests: string[]; restore(): void } {
  const original = globalThis.fetch;
  const requests: string[] = [];
  globalThis.fetch = (input, init) => {
    const request = `${init?.method ?? 'GET'} ${input as string}`;
    requests.push(request);
    const answer = answers[request]?.() ?? new TypeError('Failed to fetch');
    return answer instanceof Error ? Promise.reject(answer) : Promise.resolve(answer);
  };
  return { requests, restore: () => void (globalThis.fetch = original) };
}
