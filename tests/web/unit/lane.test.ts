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

test('an abort that comes as a message stops work that waits', async () => {
  const lane = new Lane();
  const controller = new AbortController();
  const { port1, port2 } = new MessageChannel();
  port1.onmessage = () => {
    controller.abort();
    port1.close();
  };
  const ran: number[] = [];
  const first = lane.run(never, () => ran.push(1));
  const others = [2, 3, 4, 5].map((n) => lane.run(controller.signal, () => ran.push(n)));
  port2.postMessage('abort');
  await first;
  const outcomes = await Promise.allSettled(others);
  // Not one after the other at a stretch: the message gets its turn before the last of them.
  assert.equal(outcomes.at(-1)!.status, 'rejected');
  assert.ok(!ran.includes(5));
});
