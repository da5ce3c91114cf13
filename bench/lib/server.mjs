// The benchmark's pages, on a server that remembers what it sent.
import { serve } from '../../scripts/lib/server.mjs';

/** `folders` maps URL prefixes such as '/models/' to folders. Resolves to { origin, takeSent, close }. */
export async function startServer(folders) {
  const sent = new Map(); // by URL: each file once
  const { port, close } = await serve(folders, { onSent: (file) => sent.set(file.url, file) });
  return {
    // An address: looking up a name would be part of a cold start.
    origin: `http://127.0.0.1:${port}`,
    /** What was sent since the last call. */
    takeSent() {
      const files = [...sent.values()];
      sent.clear();
      return files;
    },
    close,
  };
}
