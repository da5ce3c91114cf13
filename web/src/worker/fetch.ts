// Fetching a model's files, with failures in words.
import { VitrineError } from '../shared/errors.js';

/** The answer to a GET, whatever its status. */
export async function request(url: string, init: RequestInit): Promise<Response> {
  try {
    return await fetch(url, init);
  } catch (cause) {
    init.signal?.throwIfAborted();
    throw new VitrineError(
      'network',
      `${url}: no answer (${String(cause)}); is the server up, and does it allow this page (CORS, ` +
        'Cross-Origin-Resource-Policy, the connect-src of a Content-Security-Policy)?',
      { cause },
    );
  }
}

/** A file that must be there. `what` names it: 'config.json'. */
export async function requireFile(url: string, what: string, init: RequestInit): Promise<Response> {
  const response = await request(url, init);
  if (!response.ok) {
    const { status, statusText } = response;
    throw new VitrineError(
      'network',
      `${url}: HTTP ${status}${statusText && ` ${statusText}`}, expected ${what}; check the folder's address`,
    );
  }
  if (response.headers.get('Content-Type')?.startsWith('text/html')) throw htmlInstead(url, what);
  return response;
}

/** Servers of single-page applications answer every address with their page. */
export function htmlInstead(url: string, what: string): VitrineError {
  return new VitrineError(
    'network',
    `${url}: an HTML page, expected ${what}; check the folder's address (of a Hugging Face model it ends in ` +
      '/resolve/main/)',
  );
}

export function looksLikeHtml(text: string): boolean {
  return /^\s*</.test(text);
}
