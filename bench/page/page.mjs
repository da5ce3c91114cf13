// Runs in the page: loads one engine, gives the first label, then times as many runs as asked.
// The engine, the model and the number of threads come in the address.
const { engine, model, threads } = Object.fromEntries(new URL(globalThis.location.href).searchParams);

async function main() {
  const folder = `/models/${model}`;
  const arriving = fetch(`${folder}/input.f32`).then((response) => response.arrayBuffer());
  const { load } = await import(`./${engine}.mjs`);
  const run = await load(folder, Number(threads));
  const pixels = new Float32Array(await arriving); // [3, 224, 224]
  const loadedMs = performance.now();
  const logits = await run(pixels);
  const label = logits.indexOf(Math.max(...logits));
  const coldMs = performance.now(); // since the navigation began

  globalThis.timeRuns = async (count) => {
    const times = [];
    for (let i = 0; i < count; i++) {
      const start = performance.now();
      await run(pixels);
      times.push(performance.now() - start);
      await new Promise((resolve) => setTimeout(resolve));
    }
    return times;
  };
  return {
    coldMs,
    loadedMs,
    label,
    logits: [...logits],
    crossOriginIsolated: globalThis.crossOriginIsolated,
  };
}

main().then(globalThis.report, (error) => globalThis.report({ error: String(error?.stack ?? error) }));
