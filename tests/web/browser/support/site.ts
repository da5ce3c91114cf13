// A web site for the tests: the built package and demo, the golden models, and whatever a test adds.
import { createReadStream, existsSync, statSync } from 'node:fs';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import path from 'node:path';

export const root = process.cwd();
export const shared = process.env['VITRINE_SHARED'] ?? path.join(root, '../shared');
export const skipShared = existsSync(path.join(shared, 'models'))
  ? false
  : `needs the shared test material at ${shared} (or set VITRINE_SHARED)`;

const MOUNTS: readonly [string, string][] = [
  ['/vitrine/', path.join(root, 'web/dist')],
  ['/demo/vitrine/', path.join(root, 'web/dist')],
  ['/demo/model/', path.join(root, 'tests/golden/hf_vit')],
  ['/demo/', path.join(root, 'build/demo')],
  ['/golden/', path.join(root, 'tests/golden')],
  ['/shared/', shared],
];

const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html',
  '.js': 'text/javascript',
  '.css': 'text/css',
  '.json': 'application/json',
  '.wasm': 'application/wasm',
  '.svg': 'image/svg+xml',
  '.png': 'image/png',
  '.jpg': 'image/jpeg',
  '.gif': 'image/gif',
};

/** The page most tests run in: the package as `vitrine`, and a way to bring errors home. */
const PAGE = `<!doctype html><meta charset="utf-8"><title>test</title><script type="module" src="/page.js"></script>`;
const PAGE_SCRIPT = `
  import * as vitrine from '/vitrine/index.js';
  globalThis.vitrine = vitrine;
  globalThis.failure = async (promise) => {
    try {
      await promise;
    } catch (error) {
      return { name: error.name, status: error.status, message: error.message };
    }
    return { name: 'none', message: 'nothing failed' };
  };`;

export type Handler = (request: IncomingMessage, response: ServerResponse) => void;

export interface SiteOptions {
  /** Sends the headers that cross-origin isolation needs; true by default. */
  isolated?: boolean;
  /** Content-Security-Policy of every answer. */
  policy?: string;
}

export interface Site {
  url: string;
  /** 'GET /path' of every request since the last clear. */
  requests: string[];
  /** Answers of this test for a path; they win over files. */
  handlers: Map<string, Handler>;
  close(): Promise<void>;
}

export async function startSite({ isolated = true, policy }: SiteOptions = {}): Promise<Site> {
  const requests: string[] = [];
  const handlers = new Map<string, Handler>([
    ['/page.html', send('text/html', PAGE)],
    ['/page.js', send('text/javascript', PAGE_SCRIPT)],
    ['/favicon.ico', send('image/x-icon', '')],
  ]);
  const server = createServer((request, response) => {
    const { pathname } = new URL(request.url!, 'http://localhost');
    requests.push(`${request.method} ${pathname}`);
    response.setHeader('Cache-Control', 'no-store');
    if (isolated) {
      response.setHeader('Cross-Origin-Opener-Policy', 'same-origin');
      response.setHeader('Cross-Origin-Embedder-Policy', 'require-corp');
      response.setHeader('Cross-Origin-Resource-Policy', 'same-origin');
    }
    if (policy) response.setHeader('Content-Security-Policy', policy);
    (handlers.get(pathname) ?? sendFile)(request, response);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://localhost:${(server.address() as AddressInfo).port}`,
    requests,
    handlers,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

export function send(type: string, body: string | Uint8Array, status = 200): Handler {
  return (_request, response) => {
    response.writeHead(status, { 'Content-Type': type });
    response.end(body);
  };
}

export const sendFile: Handler = (request, response) => {
  const name = decodeURIComponent(new URL(request.url!, 'http://localhost').pathname);
  const [prefix, folder] = MOUNTS.find(([start]) => name.startsWith(start)) ?? ['', ''];
  const relative = name.slice(prefix.length) || 'index.html';
  const file = folder && path.join(folder, relative);
  if (!file || relative.includes('..') || !existsSync(file) || !statSync(file).isFile()) {
    response.writeHead(404, { 'Content-Type': 'text/plain' });
    response.end('not found');
    return;
  }
  const { size, mtimeMs } = statSync(file);
  response.writeHead(200, {
    // A handler may have said otherwise before.
    'Content-Type':
      response.getHeader('Content-Type') ?? TYPES[path.extname(file)] ?? 'application/octet-stream',
    'Content-Length': size,
    ETag: `"${size}-${mtimeMs}"`,
  });
  if (request.method === 'HEAD') response.end();
  else createReadStream(file).pipe(response);
};
