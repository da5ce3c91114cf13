// A web site for the tests: the built package and demo, the golden models, and whatever a test adds.
import { existsSync } from 'node:fs';
import path from 'node:path';

import { fileHandler, type Handler, serve } from '../../../../scripts/lib/server.mjs';

export const root = process.cwd();
export const shared = process.env['VITRINE_SHARED'] ?? path.join(root, '../shared');
export const skipShared = existsSync(path.join(shared, 'models'))
  ? false
  : `needs the shared test material at ${shared} (or set VITRINE_SHARED)`;

const MOUNTS = {
  '/vitrine/': path.join(root, 'web/dist'),
  '/demo/vitrine/': path.join(root, 'web/dist'),
  '/demo/model/': path.join(root, 'tests/golden/hf_vit'),
  '/bundled/': path.join(root, 'weights/default'),
  '/demo/': path.join(root, 'build/demo'),
  '/golden/': path.join(root, 'tests/golden'),
  '/shared/': shared,
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
  const { port, close } = await serve(MOUNTS, {
    isolation: isolated,
    headers: { 'Cache-Control': 'no-store', ...(policy && { 'Content-Security-Policy': policy }) },
    routes: handlers,
    onRequest: (method, pathname) => requests.push(`${method} ${pathname}`),
  });
  return { url: `http://localhost:${port}`, requests, handlers, close };
}

export function send(type: string, body: string | Uint8Array, status = 200): Handler {
  return (_request, response) => {
    response.writeHead(status, { 'Content-Type': type });
    response.end(body);
  };
}

/** Answers with the site's own file, for handlers that change a header only. */
export const sendFile: Handler = fileHandler(MOUNTS);
