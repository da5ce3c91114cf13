// Which files clang-format keeps.
const folders = ['core', 'cli', 'wasm', 'tests'];

/** Whether a path relative to the repository is C++ of our own. */
export const isCpp = (file) => folders.includes(file.split('/')[0]) && /\.(cc|h)$/.test(file);
