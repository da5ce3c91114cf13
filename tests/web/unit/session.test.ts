import assert from 'node:assert/strict';
import { test } from 'node:test';

import { type Model, Session, type SessionStatus } from '../../../web/src/page/session.js';
import type { Classification } from '../../../web/src/shared/types.js';

/** A number from 0 to n - 1, the same ones for the same seed (mulberry32). */
function randomFrom(seed: number): (n: number) => number {
  return (n) => {
    seed = (seed + 0x6d2b79f5) | 0;
    let t = Math.imul(seed ^ (seed >>> 15), 1 | seed);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) % n;
  };
}

/** Work under way that a test ends when it likes, abort or not. */
interface Open {
  end(): void;
  aborted(): boolean;
}

class FakeModel implements Model {
  disposed = 0;
  readonly #open: Open[];
  constructor(
    readonly name: string,
    open: Open[],
  ) {
    this.#open = open;
  }

  classify(picture: unknown, { signal }: { signal?: AbortSignal } = {}): Promise<Classification> {
    assert.equal(this.disposed, 0, 'a model that is gone is not asked');
    return later(this.#open, signal!, picture as string, () => ({
      labels: [{ index: 0, label: `${picture as string} by ${this.name}`, score: 1 }],
      timing: { decode: 0, preprocess: 0, inference: 0 },
    }));
  }

  dispose(): void {
    ++this.disposed;
  }
}

/** Rejects where `name` begins with 'bad'. Ignores the abort, as work that has just ended does. */
function later<T>(open: Open[], signal: AbortSignal, name: string, value: () => T): Promise<T> {
  return new Promise((resolve, reject) => {
    open.push({
      end: () => {
        if (name.startsWith('bad')) reject(new Error(name));
        else resolve(value());
      },
      aborted: () => signal.aborted,
    });
  });
}

function start() {
  const open: Open[] = [];
  const models: FakeModel[] = [];
  const seen: SessionStatus<FakeModel>[] = [];
  const session = new Session<FakeModel>((source, { signal, onProgress }) =>
    later(open, signal, source as string, () => {
      onProgress({ phase: 'weights', loaded: 1, total: 1, cached: false });
      const model = new FakeModel(source as string, open);
      models.push(model);
      return model;
    }),
  );
  session.subscribe((status) => seen.push(status));
  return { session, open, models, seen };
}

const settle = () => new Promise((resolve) => setImmediate(resolve));
const label = ({ result }: SessionStatus<FakeModel>) => result?.labels[0]!.label;
const words = (error: unknown) => (error instanceof Error ? error.message : undefined);

test('from nothing to a result, with a status at each step', async () => {
  const { session, open, seen } = start();
  assert.equal(session.status.state, 'idle');
  void session.classify('cat');
  void session.load('tiny');
  open.shift()!.end();
  await settle();
  open.shift()!.end();
  await settle();
  const states = seen.map(({ state }) => state);
  assert.deepEqual(states, ['idle', 'loading', 'loading', 'classifying', 'ready']);
  assert.equal(seen[2]!.progress!.loaded, 1);
  assert.equal(label(session.status), 'cat by tiny');
});

test('a failed or aborted replacement keeps the working model', async () => {
  const { session, open, models } = start();
  void session.load('tiny');
  open.shift()!.end();
  await settle();
  void session.load('bad');
  assert.equal(session.status.model!.name, 'tiny');
  open.shift()!.end();
  await settle();
  assert.equal(session.status.state, 'error');
  assert.equal(words(session.status.loadError), 'bad');
  void session.load('other');
  session.abortLoad();
  assert.equal(session.status.state, 'ready');
  assert.equal(session.status.model!.name, 'tiny');
  assert.equal(models[0]!.disposed, 0);
  assert.ok(open[0]!.aborted());
});

test('dispose ends work and models, and no status follows', async () => {
  const { session, open, models, seen } = start();
  void session.load('tiny');
  open.shift()!.end();
  await settle();
  void session.classify('cat');
  const count = seen.length;
  session.dispose();
  open.shift()!.end();
  await settle();
  assert.equal(seen.length, count);
  assert.equal(models[0]!.disposed, 1);
});

test('whatever happens in whatever order, the last requests win', async () => {
  for (let seed = 1; seed <= 500; ++seed) {
    const random = randomFrom(seed);
    const { session, open, models, seen } = start();
    let working: string | undefined; // the last model that came and was not stale
    let wanted: string | undefined; // the load that counts
    let picture: string | undefined;
    // No status tells of a picture or a load that is no longer wanted.
    session.subscribe((status) => {
      const found = label(status);
      if (found !== undefined) assert.equal(found, `${picture!} by ${status.model!.name}`);
      if (status.pictureError) assert.equal(words(status.pictureError), picture);
      if (status.loadError) assert.equal(words(status.loadError), wanted);
    });
    for (let step = 0; step < 12; ++step) {
      const name = `${random(4) === 0 ? 'bad' : 'good'} ${step}`;
      const action = random(6);
      if (action === 0) {
        wanted = `${name} model`;
        void session.load(wanted);
      } else if (action === 1) {
        picture = `${name} picture`;
        void session.classify(picture);
      } else if (action === 2 && random(3) === 0) {
        if (session.status.state === 'loading') wanted = working;
        session.abortLoad();
      } else if (action === 3 && random(3) === 0) {
        session.abortPicture();
        picture = undefined;
      } else if (open.length > 0) {
        open.splice(random(open.length), 1)[0]!.end();
        await settle();
      }
      if (session.status.model) working = session.status.model.name;
    }
    while (open.length > 0) {
      open.splice(random(open.length), 1)[0]!.end();
      await settle();
    }
    const { status } = session;
    const what = `seed ${seed}`;
    assert.ok(['idle', 'ready', 'error'].includes(status.state), what);
    if (wanted && !wanted.startsWith('bad')) assert.equal(status.model?.name, wanted, what);
    if (status.model && picture) {
      if (picture.startsWith('bad')) assert.equal(words(status.pictureError), picture, what);
      else assert.equal(label(status), `${picture} by ${status.model.name}`, what);
    } else {
      assert.equal(status.result, undefined, what);
    }
    for (const model of models) assert.equal(model.disposed, model === status.model ? 0 : 1, what);
    if (seen.length > 0) assert.deepEqual(seen.at(-1), status, what);
  }
});
