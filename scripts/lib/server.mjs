// A static file server that gives pages cross-origin isolation, which threads need.
import fs from 'node:fs';
import http from 'node:http';
import path from 'node:path';

const types = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.mjs': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.json': 'application/json; charset=utf-8',
  '.map': 'application/json; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.png': 'image/png',
  '.jpg': 'image/jpeg',
  '.webp': 'image/webp',
  '.avif': 'image/avif',
  '.wasm': 'application/wasm',
};

/**
 * Serves folders: `mounts` maps URL prefixes to them, longest first. `isolation: false` leaves the
 * isolation headers out, to see a page without threads. Resolves to {server, url} once it listens;
 * a taken port gives way to the next one.
 */
export function serve(mounts, { port = 8080, isolation = true } = {}) {
  const prefixes = Object.keys(mounts).sort((a, b) => b.length - a.length);
  const server = http.createServer((request, response) => {
    response.setHeader('Cache-Control', 'no-cache');
    response.setHeader('Cross-Origin-Resource-Policy', 'same-origin');
    if (isolation) {
      response.setHeader('Cross-Origin-Opener-Policy', 'same-origin');
      response.setHeader('Cross-Origin-Embedder-Policy', 'require-corp');
    }
    if (request.method !== 'GET' && request.method !== 'HEAD')
      return refuse(response, 405, 'Only GET and HEAD');
    const file = locate(request.url, prefixes, mounts);
    if (!file) return refuse(response, 404, `Not found: ${request.url}`);
    sendFile(request, response, file);
  });
  return new Promise((resolve, reject) => {
    const last = port + 50;
    server.on('error', (error) => {
      if (error.code !== 'EADDRINUSE' || port >= last) return reject(error);
      port += 1;
      server.listen(port, '127.0.0.1');
    });
    server.on('listening', () => resolve({ server, url: `http://localhost:${server.address().port}/` }));
    server.listen(port, '127.0.0.1');
  });
}

/** The file a URL means, or null when there is none or it would leave its folder. */
function locate(url, prefixes, mounts) {
  let name;
  try {
    name = decodeURIComponent(new URL(url, 'http://localhost').pathname);
  } catch {
    return null;
  }
  const prefix = prefixes.find((candidate) => name.startsWith(candidate));
  if (!prefix || name.includes('\0')) return null;
  const folder = path.resolve(mounts[prefix]);
  let file = path.resolve(folder, name.slice(prefix.length));
  if (file !== folder && !file.startsWith(folder + path.sep)) return null;
  if (name.endsWith('/')) file = path.join(file, 'index.html');
  return fs.existsSync(file) && fs.statSync(file).isFile() ? file : null;
}

function sendFile(request, response, file) {
  const { size, mtimeMs } = fs.statSync(file);
  const tag = `"${size.toString(36)}-${Math.round(mtimeMs).toString(36)}"`;
  response.setHeader('ETag', tag);
  response.setHeader('Accept-Ranges', 'bytes');
  response.setHeader('Content-Type', types[path.extname(file).toLowerCase()] ?? 'application/octet-stream');
  if (request.headers['if-none-match'] === tag) {
    response.statusCode = 304;
    return response.end();
  }
  let [start, end] = [0, size - 1];
  const range = /^bytes=(\d*)-(\d*)$/.exec(request.headers.range ?? '');
  if (range && (range[1] || range[2])) {
    start = range[1] ? Number(range[1]) : Math.max(0, size - Number(range[2]));
    end = range[1] && range[2] ? Math.min(Number(range[2]), size - 1) : size - 1;
    if (start > end) {
      response.setHeader('Content-Range', `bytes */${size}`);
      return refuse(response, 416, 'Range not satisfiable');
    }
    response.statusCode = 206;
    response.setHeader('Content-Range', `bytes ${start}-${end}/${size}`);
  }
  response.setHeader('Content-Length', end - start + 1);
  if (request.method === 'HEAD' || size === 0) return response.end();
  const stream = fs.createReadStream(file, { start, end });
  stream.on('error', () => response.destroy());
  response.on('close', () => stream.destroy());
  stream.pipe(response);
}

function refuse(response, status, text) {
  response.statusCode = status;
  response.setHeader('Content-Type', 'text/plain; charset=utf-8');
  response.end(`${text}\n`);
}
