import assert from 'node:assert/strict';
import { test } from 'node:test';

import { Lane } from '../../../web/src/worker/lane.js';

const never = new AbortController().signal;

test('work runs in order, one at a time, and a failure does not stop the rest', async () => {
  const lane = new Lane();
  const order: number[] = [];
  const first = lane.run(never, () => order.push(1));
  const bad = lane.run(never, () => {
    order.push(2);
    throw new Error('bad picture');
  });
  const third = lane.run(never, () => order.push(3));
  await first;
  await assert.rejects(bad, /bad picture/);
  await third;
  assert.deepEqual(order, [1, 2, 3]);
});

test('work aborted while it waits does not run', async () => {
  const lane = new Lane();
  const controller = new AbortController();
  let ran = false;
  // A task of its own, as a message from the page is, between the two pieces of work.
  const first = lane.run(never, () => controller.abort());
  const second = lane.run(controller.signal, () => (ran = true));
  await first;
  await assert.rejects(second, { name: 'AbortError' });
  assert.equal(ran, false);
});
