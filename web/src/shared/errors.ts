/** What the core reports: `StatusName` in core/include/vitrine/error.h. */
export const CORE_STATUSES = [
  'invalid_argument',
  'invalid_config',
  'invalid_checkpoint',
  'unsupported',
  'invalid_image',
  'too_large',
  'out_of_memory',
  'io',
  'internal',
] as const;

/** What kind of thing went wrong: in the core, or on the browser's side of the package. */
export type VitrineStatus = (typeof CORE_STATUSES)[number] | 'network' | 'disposed' | 'unsupported_browser';

/** The one error of the package. `message` says what was found, what was expected, what to do. */
export class VitrineError extends Error {
  override readonly name = 'VitrineError';
  readonly status: VitrineStatus;

  constructor(status: VitrineStatus, message: string, options?: ErrorOptions) {
    super(message, options);
    this.status = status;
  }
}

/** An error as it crosses from the worker to the page. */
export interface WireError {
  status: VitrineStatus;
  message: string;
}

export function toWire(error: unknown): WireError {
  if (error instanceof VitrineError) return { status: error.status, message: error.message };
  const text = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
  // A trap in WebAssembly or a failed allocation by the browser; the core reports its own errors.
  if (/out of memory|allocation failed|could not allocate/i.test(text)) {
    return {
      status: 'out_of_memory',
      message: `the browser gave no more memory (${text}); use a smaller model or picture`,
    };
  }
  return { status: 'internal', message: `unexpected ${text}; please report this` };
}

export function fromWire({ status, message }: WireError): VitrineError {
  return new VitrineError(status, message);
}
