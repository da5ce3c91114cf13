// The static server of the demo, the benchmark and the browser tests. It gives pages cross-origin isolation,
// which threads need.
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
  '.gif': 'image/gif',
  '.wasm': 'application/wasm',
};

const isolationHeaders = {
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Cross-Origin-Embedder-Policy': 'require-corp',
  'Cross-Origin-Resource-Policy': 'same-origin',
};

/**
 * @typedef {(request: http.IncomingMessage, response: http.ServerResponse) => void} Handler
 *
 * @typedef {object} ServeOptions
 * @property {number} [port] Where to listen; a taken one gives way to the next. Any free one by default.
 * @property {boolean} [isolation] Sends the headers of cross-origin isolation; true by default.
 * @property {Record<string, string>} [headers] Further headers of every answer.
 * @property {Map<string, Handler>} [routes] Answers for single paths; they win over files.
 * @property {(method: string, pathname: string) => void} [onRequest]
 * @property {(sent: {url: string, file: string, bytes: number}) => void} [onSent]
 *   A file's whole content is on its way.
 */

/**
 * Serves folders on this machine alone: `mounts` maps URL prefixes to them, and the longest that fits wins.
 * Resolves once it listens.
 *
 * @param {Record<string, string>} mounts
 * @param {ServeOptions} [options]
 * @returns {Promise<{port: number, close: () => Promise<void>}>}
 */
export function serve(mounts, { port = 0, isolation = true, headers = {}, routes, onRequest, onSent } = {}) {
  const fixed = { 'Cache-Control': 'no-cache', ...(isolation && isolationHeaders), ...headers };
  const sendFiles = fileHandler(mounts, onSent);
  const server = http.createServer((request, response) => {
    for (const [name, value] of Object.entries(fixed)) response.setHeader(name, value);
    const pathname = pathnameOf(request);
    onRequest?.(request.method ?? '', pathname);
    (routes?.get(pathname) ?? sendFiles)(request, response);
  });
  return new Promise((resolve, reject) => {
    const last = port + 50;
    server.on('error', (error) => {
      if (error.code !== 'EADDRINUSE' || port === 0 || port >= last) return reject(error);
      port += 1;
      server.listen(port, '127.0.0.1');
    });
    server.on('listening', () => resolve({ port: server.address().port, close }));
    server.listen(port, '127.0.0.1');
  });

  function close() {
    return new Promise((resolve) => {
      server.close(() => resolve());
      server.closeAllConnections();
    });
  }
}

/**
 * Answers with the files of `mounts`. A Content-Type that was set before stays.
 *
 * @param {Record<string, string>} mounts
 * @param {ServeOptions['onSent']} [onSent]
 * @returns {Handler}
 */
export function fileHandler(mounts, onSent) {
  const prefixes = Object.keys(mounts).sort((a, b) => b.length - a.length);
  return (request, response) => {
    if (request.method !== 'GET' && request.method !== 'HEAD')
      return refuse(response, 405, 'Only GET and HEAD');
    const file = locate(pathnameOf(request), prefixes, mounts);
    if (!file) return refuse(response, 404, `Not found: ${request.url}`);
    sendFile(request, response, file, onSent);
  };
}

/** The path of a request as it was written, or '' when that is no URL. */
function pathnameOf(request) {
  const url = `http://localhost${request.url}`;
  return URL.canParse(url) ? new URL(url).pathname : '';
}

/** The file a path means, or null when there is none or it would leave its folder. */
function locate(pathname, prefixes, mounts) {
  let name;
  try {
    name = decodeURIComponent(pathname);
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

function sendFile(request, response, file, onSent) {
  const { size, mtimeMs } = fs.statSync(file);
  const tag = `"${size.toString(36)}-${Math.round(mtimeMs).toString(36)}"`;
  response.setHeader('ETag', tag);
  response.setHeader('Accept-Ranges', 'bytes');
  if (!response.hasHeader('Content-Type')) {
    response.setHeader('Content-Type', types[path.extname(file).toLowerCase()] ?? 'application/octet-stream');
  }
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
  if (request.method === 'HEAD') return response.end();
  if (response.statusCode === 200) {
    onSent?.({ url: pathnameOf(request), file, bytes: size });
  }
  if (size === 0) return response.end();
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
