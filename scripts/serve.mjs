// Serves the built demo: `node scripts/serve.mjs [--port N] [--no-isolation]`.
import fs from 'node:fs';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { buildDir, root } from './lib/paths.mjs';
import { main } from './lib/run.mjs';
import { serve } from './lib/server.mjs';

export async function serveDemo() {
  const { values } = parseArgs({
    options: { port: { type: 'string' }, 'no-isolation': { type: 'boolean', default: false } },
  });
  const model = path.join(root, 'weights/default');
  if (!fs.existsSync(path.join(model, 'model.safetensors'))) {
    console.log('There is no bundled model in weights/default: choose a model folder or URL in the page.');
  }
  const mounts = {
    '/': path.join(buildDir, 'demo'),
    '/vitrine/': path.join(root, 'web/dist'),
    '/model/': model,
  };
  const port = Number(values.port ?? process.env.PORT ?? 8080);
  const server = await serve(mounts, { port, isolation: !values['no-isolation'] });
  console.log(`\nVitrine is at http://localhost:${server.port}/   (Ctrl+C ends it)`);
}

if (process.argv[1] === import.meta.filename) await main(serveDemo);
