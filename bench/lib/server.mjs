// A static server on this machine alone. Its pages are cross-origin isolated, so that they may use threads,
// and it remembers what it sent.
import fs from 'node:fs';
import http from 'node:http';
import path from 'node:path';

const TYPES = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript',
  '.mjs': 'text/javascript',
  '.json': 'application/json',
  '.wasm': 'application/wasm',
};
const HEADERS = {
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Cross-Origin-Embedder-Policy': 'require-corp',
  'Cross-Origin-Resource-Policy': 'same-origin',
  'Cache-Control': 'no-cache',
};

/** `folders` maps URL prefixes such as '/models/' to folders. Resolves to { origin, takeSent, close }. */
export function startServer(folders) {
  let sent = [];
  const server = http.createServer((request, response) => {
    const { pathname } = new URL(request.url, 'http://localhost');
    const file = fileOf(pathname, folders);
    if (!file) return response.writeHead(404, HEADERS).end();
    const { size } = fs.statSync(file);
    const type = TYPES[path.extname(file)] ?? 'application/octet-stream';
    response.writeHead(200, { ...HEADERS, 'Content-Type': type, 'Content-Length': size });
    if (request.method === 'HEAD') return response.end();
    sent.push({ url: pathname, file, bytes: size });
    fs.createReadStream(file).pipe(response);
  });
  return new Promise((resolve) => {
    server.listen(0, '127.0.0.1', () => {
      resolve({
        origin: `http://127.0.0.1:${server.address().port}`,
        /** What was sent since the last call, each file once. */
        takeSent() {
          const files = new Map(sent.map((file) => [file.url, file]));
          sent = [];
          return [...files.values()];
        },
        close() {
          server.close();
          server.closeAllConnections();
        },
      });
    });
  });
}

function fileOf(pathname, folders) {
  const name = pathname.endsWith('/') ? `${pathname}index.html` : pathname;
  const prefix = Object.keys(folders).find((candidate) => name.startsWith(candidate));
  if (!prefix) return null;
  const file = path.join(
    folders[prefix],
    path.normalize(`/${decodeURIComponent(name.slice(prefix.length))}`),
  );
  return fs.statSync(file, { throwIfNoEntry: false })?.isFile() ? file : null;
}
