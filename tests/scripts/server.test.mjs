// The static server: files, headers, routes, ranges, and what it must not give away.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import http from 'node:http';
import os from 'node:os';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { fileHandler, serve } from '../../scripts/lib/server.mjs';

const work = fs.mkdtempSync(path.join(os.tmpdir(), 'vitrine-server-'));
const routes = new Map();
const requests = [];
const sent = [];
let server;
before(async () => {
  fs.mkdirSync(path.join(work, 'site/inner'), { recursive: true });
  fs.writeFileSync(path.join(work, 'secret.txt'), 'secret');
  fs.writeFileSync(path.join(work, 'site/index.html'), '<p>site');
  fs.writeFileSync(path.join(work, 'site/core.wasm'), '0123456789');
  fs.writeFileSync(path.join(work, 'site/inner/a.json'), '{}');
  const mounts = { '/': path.join(work, 'site'), '/deep/': path.join(work, 'site/inner') };
  server = await serve(mounts, {
    headers: { 'Content-Security-Policy': "default-src 'self'" },
    routes,
    onRequest: (method, pathname) => requests.push(`${method} ${pathname}`),
    onSent: ({ url, bytes }) => sent.push(`${url} ${bytes}`),
  });
});
after(async () => {
  await server.close();
  fs.rmSync(work, { recursive: true });
});

const get = (name, options) => fetch(`http://127.0.0.1:${server.port}${name}`, options);

test('files, by the longest prefix, with type and headers', async () => {
  const page = await get('/');
  assert.equal(await page.text(), '<p>site');
  assert.equal(page.headers.get('content-type'), 'text/html; charset=utf-8');
  assert.equal(page.headers.get('cross-origin-opener-policy'), 'same-origin');
  assert.equal(page.headers.get('cross-origin-embedder-policy'), 'require-corp');
  assert.equal(page.headers.get('content-security-policy'), "default-src 'self'");
  assert.equal(await (await get('/deep/a.json')).text(), '{}');
  assert.equal((await get('/deep/core.wasm')).status, 404);
  assert.equal((await get('/', { method: 'POST' })).status, 405);
});

test('ranges and revalidation', async () => {
  const part = await get('/core.wasm', { headers: { range: 'bytes=2-4' } });
  assert.deepEqual([part.status, await part.text()], [206, '234']);
  assert.equal((await get('/core.wasm', { headers: { range: 'bytes=20-' } })).status, 416);
  const whole = await get('/core.wasm');
  assert.equal(await whole.text(), '0123456789');
  const again = await get('/core.wasm', { headers: { 'if-none-match': whole.headers.get('etag') } });
  assert.equal(again.status, 304);
});

test('routes win over files, and may pass on to them', async () => {
  routes.set('/core.wasm', (request, response) => {
    response.setHeader('Content-Type', 'text/plain');
    fileHandler({ '/': path.join(work, 'site') })(request, response);
  });
  const changed = await get('/core.wasm');
  routes.delete('/core.wasm');
  assert.equal(changed.headers.get('content-type'), 'text/plain');
  assert.equal(await changed.text(), '0123456789');
});

test('requests and whole files are reported', async () => {
  requests.length = sent.length = 0;
  await (await get('/core.wasm?x=1')).text();
  await get('/core.wasm', { method: 'HEAD' });
  await (await get('/core.wasm', { headers: { range: 'bytes=0-0' } })).text();
  await get('/none');
  assert.deepEqual(requests, ['GET /core.wasm', 'HEAD /core.wasm', 'GET /core.wasm', 'GET /none']);
  assert.deepEqual(sent, ['/core.wasm 10']);
});

test('nothing outside the folders', async () => {
  for (const name of [
    '/..%2fsecret.txt',
    '/%2e%2e/secret.txt',
    '/deep/..%2f..%2fsecret.txt',
    '/%00',
    '/%zz',
    '//',
  ]) {
    const status = await new Promise((resolve, reject) => {
      // fetch() would tidy the path.
      const options = { port: server.port, host: '127.0.0.1', path: name, timeout: 5000 };
      const request = http.get(options, (response) => {
        response.resume();
        resolve(response.statusCode);
      });
      request.on('error', reject);
    });
    assert.equal(status, 404, name);
  }
});

test('a taken port gives way to the next; isolation can be left out', async () => {
  const other = await serve({ '/': work }, { port: server.port, isolation: false });
  assert.ok(other.port > server.port);
  const { headers } = await fetch(`http://127.0.0.1:${other.port}/secret.txt`);
  for (const name of headers.keys()) assert.doesNotMatch(name, /^cross-origin/);
  await other.close();
});
