// Relaxed SIMD is on by default from Node 21; Node 20 has it behind a flag.
export const nodeFlags = process.versions.node.startsWith('20.') ? ['--experimental-wasm-relaxed-simd'] : [];
