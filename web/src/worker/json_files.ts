// The small JSON files of a model. From URLs they come fresh from the network, and from the cache
// only when there is none, so that a page works offline with a model it has seen.
import { VitrineError } from '../shared/errors.js';
import type { JsonMessage, SourceMessage } from '../shared/messages.js';
import type { CacheMode } from '../shared/types.js';
import type { ModelCache } from './cache.js';
import { htmlInstead, looksLikeHtml, request, requireFile } from './fetch.js';

/** The text of a model folder's JSON files. */
export interface JsonFiles {
  config: string;
  preprocessor: string | undefined;
  labels: string | undefined;
}

export async function readJsonFiles(
  source: SourceMessage,
  cache: ModelCache | undefined,
  mode: CacheMode,
): Promise<JsonFiles> {
  const init: RequestInit = mode === 'reload' ? { cache: 'reload' } : {};
  const read = (message: JsonMessage | undefined, what: string) => readJson(message, what, cache, init);
  const [config, preprocessor, labels] = await Promise.all([
    read(source.config, 'config.json'),
    read(source.preprocessor, 'preprocessor_config.json'),
    read(source.labels, 'labels.json'),
  ]);
  return { config: config ?? '', preprocessor, labels };
}

async function readJson(
  message: JsonMessage | undefined,
  what: string,
  cache: ModelCache | undefined,
  init: RequestInit,
): Promise<string | undefined> {
  switch (message?.kind) {
    case undefined:
      return undefined;
    case 'text':
      return message.text;
    case 'blob':
      return readBlob(message.blob, what);
    case 'url': {
      const { url, optional } = message;
      let text: string | undefined;
      try {
        text = await (optional ? fetchOptional(url, init) : fetchRequired(url, what, init));
      } catch (error) {
        const kept = await cache?.getText(url);
        if (kept === undefined && !optional) throw error;
        return kept;
      }
      if (text !== undefined) await cache?.putText(url, text);
      return text;
    }
  }
}

async function fetchRequired(url: string, what: string, init: RequestInit): Promise<string> {
  const response = await requireFile(url, what, init);
  const text = await response.text();
  if (looksLikeHtml(text)) throw htmlInstead(url, what);
  return text;
}

async function fetchOptional(url: string, init: RequestInit): Promise<string | undefined> {
  const response = await request(url, init);
  if (!response.ok) return undefined;
  const text = await response.text();
  return looksLikeHtml(text) ? undefined : text;
}

async function readBlob(blob: Blob, what: string): Promise<string> {
  try {
    return await blob.text();
  } catch (cause) {
    throw new VitrineError('io', `${what}: the file could not be read (${String(cause)}); choose it again`, {
      cause,
    });
  }
}
