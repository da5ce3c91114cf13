import js from '@eslint/js';
import tseslint from 'typescript-eslint';

/** What the files of a room of web/src may not import. */
function room(name, closed) {
  return {
    files: [`web/src/${name}/**/*.ts`],
    rules: {
      'no-restricted-imports': [
        'error',
        {
          patterns: [
            {
              regex: `^\\.\\./(.*/)?(${closed.join('|')})(/|\\.js$)`,
              message: `web/src/${name}/ may import shared/ only, and shared/ nothing outside itself.`,
            },
            { regex: '^[^.]', message: 'The runtime has no dependencies.' },
          ],
        },
      ],
    },
  };
}

export default tseslint.config(
  { ignores: ['build/', 'web/dist/', 'node_modules/', '**/*.d.ts'] },
  js.configs.recommended,
  {
    files: ['**/*.ts'],
    extends: [tseslint.configs.strictTypeChecked],
    languageOptions: {
      parserOptions: {
        project: ['web/tsconfig.json', 'web/src/worker/tsconfig.json', 'tests/web/tsconfig.json'],
        tsconfigRootDir: import.meta.dirname,
      },
    },
    rules: {
      // Indexing is checked by noUncheckedIndexedAccess; `!` is how a proven index is written.
      '@typescript-eslint/no-non-null-assertion': 'off',
      '@typescript-eslint/restrict-template-expressions': [
        'error',
        { allowNumber: true, allowBoolean: true },
      ],
      // What the types of the DOM promise is not there in every browser, in Node or without HTTPS.
      '@typescript-eslint/no-unnecessary-condition': 'off',
      // An abort rejects with the signal's reason, whatever it is.
      '@typescript-eslint/prefer-promise-reject-errors': ['error', { allowThrowingAny: true }],
      '@typescript-eslint/no-floating-promises': [
        'error',
        {
          allowForKnownSafeCalls: [
            { from: 'package', package: 'node:test', name: ['test', 'suite', 'describe', 'it'] },
          ],
        },
      ],
      '@typescript-eslint/no-confusing-void-expression': ['error', { ignoreArrowShorthand: true }],
    },
  },
  // The rooms of web/src: page/ and worker/ use shared/ only, shared/ uses nothing outside itself.
  room('page', ['worker', 'index']),
  room('worker', ['page', 'index']),
  room('shared', ['page', 'worker', 'index']),
  {
    files: ['**/*.{js,mjs}'],
    languageOptions: {
      globals: {
        Buffer: 'readonly',
        URL: 'readonly',
        console: 'readonly',
        fetch: 'readonly',
        performance: 'readonly',
        process: 'readonly',
        setTimeout: 'readonly',
        clearTimeout: 'readonly',
      },
    },
  },
  {
    // Becomes part of what Emscripten writes.
    files: ['cmake/node_environment.js'],
    languageOptions: { globals: { Module: 'readonly', ENV: 'readonly' } },
  },
);
