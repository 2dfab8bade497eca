import tseslint from 'typescript-eslint';

/** Calls that would make a fold depend on anything but the events it is given. */
const impure = [
  {
    selector: "NewExpression[callee.name='Date'][arguments.length=0]",
    message: 'Pure code has no clock: take the instant from the command or the event.',
  },
  {
    selector: "MemberExpression[object.name='Date'][property.name='now']",
    message: 'Pure code has no clock: take the instant from the command or the event.',
  },
  {
    selector: "MemberExpression[object.name='Math'][property.name='random']",
    message: 'Pure code has no randomness: take ids from the command or the event.',
  },
  { selector: 'AwaitExpression', message: 'Pure code does not wait.' },
  { selector: ':function[async=true]', message: 'Pure code does not wait.' },
];

export default tseslint.config(
  { ignores: ['dist/', 'node_modules/', 'coverage/', '.regulars/'] },
  ...tseslint.configs.recommended,
  {
    files: ['**/*.ts'],
    languageOptions: { parserOptions: { project: './tsconfig.json', tsconfigRootDir: import.meta.dirname } },
    rules: {
      '@typescript-eslint/no-floating-promises': 'error',
      '@typescript-eslint/no-misused-promises': ['error', { checksVoidReturn: { arguments: false } }],
      '@typescript-eslint/switch-exhaustiveness-check': [
        'error',
        { considerDefaultExhaustiveForUnions: true },
      ],
      '@typescript-eslint/no-explicit-any': 'error',
      '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_', varsIgnorePattern: '^_' }],
      '@typescript-eslint/explicit-module-boundary-types': 'error',
      eqeqeq: 'error',
      'no-console': 'error',
    },
  },
  {
    files: [
      'libs/*/src/domain/**/*.ts',
      'libs/*/src/**/*.projection.ts',
      'libs/*/src/**/*.journal.ts',
      'libs/rules/src/**/*.ts',
      'libs/segments/src/facts/**/*.ts',
      'libs/segments/src/membership/**/*.ts',
    ],
    ignores: ['**/*.spec.ts'],
    rules: {
      'no-restricted-syntax': ['error', ...impure],
      'no-restricted-globals': [
        'error',
        'process',
        'console',
        'setTimeout',
        'setInterval',
        'setImmediate',
        'fetch',
      ],
    },
  },
  {
    files: [
      '**/*.spec.ts',
      '**/*.suite.ts',
      '**/*.contract.ts',
      'libs/testing/**/*.ts',
      'test/**/*.ts',
      'apps/ops/**/*.ts',
    ],
    rules: { 'no-console': 'off', '@typescript-eslint/explicit-module-boundary-types': 'off' },
  },
  { files: ['**/*.cjs', '**/*.mjs'], rules: { '@typescript-eslint/no-require-imports': 'off' } },
);
