import assert from 'node:assert/strict';
import { test } from 'node:test';

import { Bridge } from '../../../web/src/page/bridge.js';
import { VitrineError } from '../../../web/src/shared/errors.js';
import type { RunMessage, ToPage, ToWorker } from '../../../web/src/shared/messages.js';

const ARGS: RunMessage = { input: { kind: 'url', url: 'x' }, alpha: 'white', topK: 5 };

/** A worker that does nothing but listen. */
class FakeWorker extends EventTarget {
  readonly sent: ToWorker[] = [];
  terminated = false;

  postMessage(message: ToWorker): void {
    this.sent.push(message);
  }

  terminate(): void {
    this.terminated = true;
  }

  answer(data: ToPage): void {
    this.dispatchEvent(new MessageEvent('message', { data }));
  }
}

function start() {
  const worker = new FakeWorker();
  return { worker, bridge: new Bridge(worker) };
}

test('answers find their calls in any order', async () => {
  const { worker, bridge } = start();
  const first = bridge.call('logits', ARGS);
  const second = bridge.call('logits', ARGS);
  worker.answer({ id: 2, result: new Float32Array([2]), heap: 7 });
  worker.answer({ id: 1, result: new Float32Array([1]), heap: 8 });
  assert.deepEqual([...(await first), ...(await second)], [1, 2]);
  assert.equal(bridge.heap, 8);
});

test('errors of the worker arrive as VitrineError', async () => {
  const { worker, bridge } = start();
  const call = bridge.call('logits', ARGS);
  worker.answer({ id: 1, error: { status: 'invalid_image', message: 'cat.jpg: cut short' } });
  await assert.rejects(call, (error) => error instanceof VitrineError && error.status === 'invalid_image');
});

test('an abort rejects at once with the reason, and tells the worker', async () => {
  const { worker, bridge } = start();
  const controller = new AbortController();
  const call = bridge.call('logits', ARGS, { signal: controller.signal });
  controller.abort();
  await assert.rejects(call, { name: 'AbortError' });
  assert.deepEqual(worker.sent.at(-1), { abort: 1 });
  worker.answer({ id: 1, result: new Float32Array(), heap: 0 }); // too late, and harmless
});

test('a call with an aborted signal is not sent', async () => {
  const { worker, bridge } = start();
  const reason = new Error('changed my mind');
  await assert.rejects(bridge.call('logits', ARGS, { signal: AbortSignal.abort(reason) }), reason);
  assert.equal(worker.sent.length, 0);
});

test('an abort after the answer does nothing', async () => {
  const { worker, bridge } = start();
  const controller = new AbortController();
  const call = bridge.call('logits', ARGS, { signal: controller.signal });
  worker.answer({ id: 1, result: new Float32Array(), heap: 0 });
  await call;
  controller.abort();
  assert.equal(worker.sent.length, 1);
});

test('close ends the worker, rejects open calls and refuses later ones', async () => {
  const { worker, bridge } = start();
  const open = bridge.call('logits', ARGS);
  bridge.close(new VitrineError('disposed', 'gone'));
  assert.ok(worker.terminated);
  await assert.rejects(open, { status: 'disposed' });
  await assert.rejects(bridge.call('logits', ARGS), { status: 'disposed', message: 'gone' });
});

test('a worker that cannot start, or dies, says so', async () => {
  const refused = start();
  const call = refused.bridge.call('logits', ARGS);
  refused.worker.dispatchEvent(new Event('error'));
  await assert.rejects(call, { status: 'network', message: /script could not be started/ });

  const died = start();
  const other = died.bridge.call('logits', ARGS);
  died.worker.dispatchEvent(Object.assign(new Event('error'), { message: 'oops' }));
  await assert.rejects(other, { status: 'internal', message: /the worker failed: oops/ });
});

test('progress reaches its call', async () => {
  const { worker, bridge } = start();
  const seen: number[] = [];
  const call = bridge.call('logits', ARGS, { onProgress: ({ loaded }) => seen.push(loaded) });
  worker.answer({ id: 1, progress: { phase: 'weights', loaded: 5, total: 10, cached: false } });
  worker.answer({ id: 1, result: new Float32Array(), heap: 0 });
  await call;
  assert.deepEqual(seen, [5]);
});

test('a worker that is writing to the cache ends when it has', async () => {
  const { worker, bridge } = start();
  worker.answer({ storing: true });
  const open = bridge.call('logits', ARGS);
  bridge.close(new VitrineError('disposed', 'gone'));
  await assert.rejects(open, { status: 'disposed' });
  assert.equal(worker.terminated, false);
  worker.answer({ storing: false });
  assert.ok(worker.terminated);
});
