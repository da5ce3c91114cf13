// Limits that the page holds before anything starts, so that no value reaches the core only to fail there.

/** Threads that a model may ask for; kMaxThreads of the core (core/src/cpu/). */
export const MAX_THREADS = 64;
