/** Runs one piece of work after the other, and lets messages (an abort, say) in between. */
export class Lane {
  #last: Promise<unknown> = Promise.resolve();

  run<T>(signal: AbortSignal, work: () => T | Promise<T>): Promise<T> {
    const result = this.#last.then(nextTask).then(() => {
      signal.throwIfAborted();
      return work();
    });
    this.#last = result.catch(() => {});
    return result;
  }
}

/** Messages come as tasks; setTimeout would wait 4 ms when nested. */
function nextTask(): Promise<void> {
  return new Promise((resolve) => {
    const { port1, port2 } = new MessageChannel();
    port1.onmessage = () => {
      port1.close();
      resolve();
    };
    port2.postMessage(null);
  });
}
