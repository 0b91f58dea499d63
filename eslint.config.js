'use strict';

const eslint = require('@eslint/js');
const tseslint = require('typescript-eslint');
const jest = require('eslint-plugin-jest');
const rxjs = require('eslint-plugin-rxjs-x').default;

/** Files that may be longer than the rest: layouts of bytes, the commit protocol, the hot loop. Each line needs its reason. */
const LONG_FILES = [
  'src/kafka/batch-decode.ts', // one layout, read from top to bottom
  'src/kafka/batch-encode.ts',
  'src/kafkajs/requests*.ts', // encoders and decoders, one request after the other
  'src/kafkajs/requests/*.ts',
  'src/commit/commit.ts', // the order of its lines is the protocol
  'src/state/entry-store.ts', // memory over layers over disk, and who is let go when
  'src/task/loop.ts', // the hot loop
  'src/task/stream-task.ts', // and what it pushes, fails, undoes and seals: one order of events
];

const limits = {
  'max-lines': ['error', { max: 250, skipBlankLines: true, skipComments: true }],
  'max-lines-per-function': ['error', { max: 60, skipBlankLines: true, skipComments: true, IIFEs: true }],
  'max-params': ['error', 5],
  complexity: ['error', 12],
};

const TIME_AND_CHANCE = 'Time and chance come from the clock (src/time/clock.ts).';

const noTimeOrChance = {
  'no-restricted-globals': [
    'error',
    ...['setTimeout', 'setInterval', 'setImmediate', 'performance'].map((name) => ({ name, message: TIME_AND_CHANCE })),
  ],
  'no-restricted-properties': [
    'error',
    ...[
      ['Date', 'now'],
      ['Math', 'random'],
      ['performance', 'now'],
      ['process', 'hrtime'],
      ['process', 'uptime'],
      ['crypto', 'randomUUID'],
      ['crypto', 'randomBytes'],
      ['crypto', 'getRandomValues'],
      ['globalThis', 'setTimeout'],
      ['globalThis', 'setInterval'],
      ['globalThis', 'setImmediate'],
      ['globalThis', 'performance'],
    ].map(([object, property]) => ({ object, property, message: TIME_AND_CHANCE })),
  ],
  'no-restricted-imports': [
    'error',
    {
      paths: [
        ...['timers', 'node:timers', 'timers/promises', 'node:timers/promises', 'perf_hooks', 'node:perf_hooks'].map((name) => ({
          name,
          message: TIME_AND_CHANCE,
        })),
        ...['crypto', 'node:crypto'].map((name) => ({
          name,
          importNames: ['randomUUID', 'randomBytes', 'randomInt', 'randomFillSync', 'webcrypto'],
          message: TIME_AND_CHANCE,
        })),
        { name: 'rxjs', importNames: ['asyncScheduler', 'asapScheduler', 'animationFrameScheduler'], message: TIME_AND_CHANCE },
      ],
    },
  ],
};

const syntaxEverywhere = [
  { selector: 'ExportDefaultDeclaration', message: 'Named exports only.' },
  { selector: 'TSExportAssignment', message: 'Named exports only.' },
  { selector: 'TSEnumDeclaration', message: 'A union of literals instead of an enum.' },
];

const noBareDate = [
  { selector: 'NewExpression[callee.name="Date"][arguments.length=0]', message: TIME_AND_CHANCE },
  { selector: 'CallExpression[callee.name="Date"]', message: TIME_AND_CHANCE },
];

const noBareObservable = [
  {
    selector: 'NewExpression[callee.name=/^(Observable|Subject|BehaviorSubject|ReplaySubject|AsyncSubject)$/]',
    message: 'Operators rest on operators/operator.ts or on smaller operators.',
  },
];

const restrictSyntax = (...groups) => ({ 'no-restricted-syntax': ['error', ...syntaxEverywhere, ...groups.flat()] });

module.exports = tseslint.config(
  { ignores: ['node_modules/**', 'dist/**', 'coverage/**', '.kafka/**', '.state/**', '.millrace/**', '**/target/**'] },
  { linterOptions: { reportUnusedDisableDirectives: 'error' } },

  // Configuration files, plain JavaScript.
  {
    files: ['**/*.js', '**/*.cjs'],
    extends: [eslint.configs.recommended],
    languageOptions: {
      sourceType: 'commonjs',
      globals: { require: 'readonly', module: 'writable', process: 'readonly', __dirname: 'readonly', console: 'readonly' },
    },
  },

  // All TypeScript.
  {
    files: ['**/*.ts'],
    extends: [eslint.configs.recommended, tseslint.configs.recommendedTypeChecked],
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: __dirname } },
    plugins: { 'rxjs-x': rxjs },
    rules: {
      ...restrictSyntax(),
      eqeqeq: ['error', 'always'],
      // There are no enums to be mixed up.
      '@typescript-eslint/no-unsafe-enum-comparison': 'off',
      '@typescript-eslint/consistent-type-imports': ['error', { fixStyle: 'inline-type-imports', disallowTypeAnnotations: false }],
      '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_', varsIgnorePattern: '^_', ignoreRestSiblings: true }],
      '@typescript-eslint/no-import-type-side-effects': 'error',
      '@typescript-eslint/switch-exhaustiveness-check': ['error', { considerDefaultExhaustiveForUnions: true }],
      'rxjs-x/no-async-subscribe': 'error',
      'rxjs-x/no-create': 'error',
      'rxjs-x/no-ignored-notifier': 'error',
      'rxjs-x/no-internal': 'error',
      'rxjs-x/no-nested-subscribe': 'error',
      'rxjs-x/no-topromise': 'error',
      'rxjs-x/no-unsafe-takeuntil': 'error',
      'rxjs-x/prefer-observer': 'error',
      'rxjs-x/prefer-root-operators': 'error',
    },
  },

  // What is published: strict types, short files, no clock of its own.
  {
    files: ['src/**/*.ts', 'operators/**/*.ts'],
    extends: [tseslint.configs.strictTypeChecked],
    rules: {
      ...rxjs.configs.recommended.rules,
      ...limits,
      ...noTimeOrChance,
      ...restrictSyntax(noBareDate),
      'no-console': 'error',
      '@typescript-eslint/explicit-module-boundary-types': 'error',
      '@typescript-eslint/prefer-readonly': 'error',
      // `noUncheckedIndexedAccess` is on: within proven bounds `!` costs nothing, a check does.
      '@typescript-eslint/no-non-null-assertion': 'off',
      '@typescript-eslint/no-confusing-void-expression': ['error', { ignoreArrowShorthand: true }],
      '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true, allowBoolean: true }],
      '@typescript-eslint/no-unnecessary-condition': ['error', { allowConstantLoopConditions: true }],
      '@typescript-eslint/no-unnecessary-type-parameters': 'off',
      '@typescript-eslint/no-unsafe-enum-assignment': 'off',
      // Ports have methods; a method handed on unbound is caught by rxjs-x/no-unbound-methods and by tests.
      '@typescript-eslint/unbound-method': ['error', { ignoreStatic: true }],
      'rxjs-x/no-ignored-subscription': 'off',
    },
  },
  {
    files: ['operators/**/*.ts'],
    ignores: ['operators/operator.ts', 'operators/meeting.ts'],
    rules: restrictSyntax(noBareDate, noBareObservable),
  },
  {
    files: ['src/time/system-clock.ts'],
    rules: { ...restrictSyntax(), 'no-restricted-globals': 'off', 'no-restricted-properties': 'off', 'no-restricted-imports': 'off' },
  },

  // Adapters meet untyped code: the types end here and start again behind the port.
  {
    files: ['src/kafkajs/**/*.ts'],
    rules: {
      '@typescript-eslint/no-explicit-any': 'off',
      '@typescript-eslint/no-require-imports': 'off',
      '@typescript-eslint/no-unsafe-argument': 'off',
      '@typescript-eslint/no-unsafe-assignment': 'off',
      '@typescript-eslint/no-unsafe-call': 'off',
      '@typescript-eslint/no-unsafe-member-access': 'off',
      '@typescript-eslint/no-unsafe-return': 'off',
    },
  },
  { files: LONG_FILES, rules: { 'max-lines': 'off', 'max-lines-per-function': 'off', complexity: 'off' } },

  // Jest takes a default export here, nothing else.
  { files: ['test/kafka/global-*.ts', 'test/faults/global-*.ts'], rules: { 'no-restricted-syntax': 'off' } },

  // Tests: one behaviour each.
  {
    files: ['test/**/*.ts'],
    extends: [jest.configs['flat/recommended']],
    rules: {
      'max-lines': ['error', { max: 500, skipBlankLines: true, skipComments: true }],
      'jest/no-focused-tests': 'error',
      'jest/no-disabled-tests': 'error',
      'jest/no-identical-title': 'error',
      'jest/no-done-callback': 'off',
      // Contract suites, properties and marbles assert through functions of their own.
      'jest/expect-expect': [
        'error',
        { assertFunctionNames: ['expect', 'expect*', '**.expect*', 'expectTypeOf', 'assert*', 'fc.assert', 'marbles', 'run*', '*.run'] },
      ],
      'jest/no-conditional-expect': 'off',
      'jest/no-export': 'off',
      'jest/no-standalone-expect': 'off',
      'jest/valid-title': ['error', { ignoreTypeOfDescribeName: true, ignoreTypeOfTestName: true }],
      '@typescript-eslint/no-non-null-assertion': 'off',
      // What is `any` in a test is checked by what the test asserts; these rules cost a fifth of all linting.
      '@typescript-eslint/no-unsafe-call': 'off',
      '@typescript-eslint/no-unsafe-return': 'off',
      // Jest's asymmetric matchers (expect.objectContaining) are typed `any`.
      '@typescript-eslint/no-unsafe-argument': 'off',
      '@typescript-eslint/no-unsafe-assignment': 'off',
      '@typescript-eslint/require-await': 'off',
      '@typescript-eslint/unbound-method': 'off',
      // Whether a callback may be async is asked of every argument there is: half of what linting the tests took.
      '@typescript-eslint/no-misused-promises': ['error', { checksVoidReturn: false }],
    },
  },
);
