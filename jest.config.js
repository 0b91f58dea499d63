'use strict';

const shared = {
  rootDir: __dirname,
  testEnvironment: 'node',
  transform: {
    '\\.ts$': [
      '@swc/jest',
      {
        swcrc: false,
        sourceMaps: 'inline',
        jsc: { parser: { syntax: 'typescript' }, target: 'es2022', keepClassNames: true },
        module: { type: 'commonjs' },
      },
    ],
  },
  moduleNameMapper: {
    '^millrace$': '<rootDir>/src/index.ts',
    '^millrace/operators$': '<rootDir>/operators/index.ts',
    '^millrace/testing$': '<rootDir>/src/testing/index.ts',
  },
  modulePathIgnorePatterns: ['<rootDir>/dist/', '<rootDir>/.kafka/', '<rootDir>/.state/', '<rootDir>/.millrace/'],
};

/** Whole instances, whole programs, whole topologies, brokers, sockets, processes, contract suites, laws and types: what takes seconds. Everything else is `unit`. */
const SYSTEM = [
  ...['app', 'bench', 'commit', 'contract', 'docs', 'examples', 'kafkajs', 'memory', 'property', 'scripts', 'threads', 'types'].map(
    (room) => `${room}/`,
  ),
  ...['cluster-view', 'fetcher', 'internal-topics', 'log-reader', 'membership', 'offsets', 'pipelined', 'producer', 'transaction'].map(
    (client) => `kafka-protocol/${client}`,
  ),
  ...['departed-producers', 'duplicates', 'large-group', 'revisions', 'static-members', 'stop-of-all'].map(
    (group) => `kafka-protocol/${group}`,
  ),
  ...['operators/lookup-many', 'state/key-order', 'state/ordered-memory'],
  ...['differences', 'state/level-bytes', 'state/slot', 'testing/cluster', 'testing/test-topology', 'vectors/'],
  ...['leaving-and-late-outputs', 'rxjs-in-topologies', 'watermark-topologies'].map((topologies) => `task/${topologies}`),
].map((beginning) => `<rootDir>/test/${beginning}`);

/** @type {import('jest').Config} */
module.exports = {
  maxWorkers: '100%',
  // A hang is red all the same; a busy machine is not. Broker tests have more (test/kafka/environment.js).
  testTimeout: 20_000,
  reporters: ['default', '<rootDir>/test/skipped-reporter.js'],
  projects: [
    {
      ...shared,
      displayName: 'unit',
      testMatch: ['<rootDir>/test/**/*.test.ts'],
      testPathIgnorePatterns: ['<rootDir>/test/kafka/', '<rootDir>/test/faults/', ...SYSTEM],
    },
    {
      ...shared,
      displayName: 'system',
      testMatch: SYSTEM.flatMap((beginning) => [`${beginning}*.test.ts`, `${beginning}**/*.test.ts`]),
    },
    {
      ...shared,
      displayName: 'kafka',
      testMatch: ['<rootDir>/test/kafka/**/*.test.ts'],
      globalSetup: '<rootDir>/test/kafka/global-setup.ts',
      globalTeardown: '<rootDir>/test/kafka/global-teardown.ts',
      testEnvironment: '<rootDir>/test/kafka/environment.js',
      runner: '<rootDir>/test/kafka/serial-runner.js',
    },
    {
      ...shared,
      displayName: 'faults',
      testMatch: ['<rootDir>/test/faults/**/*.test.ts'],
      globalSetup: '<rootDir>/test/faults/global-setup.ts',
      globalTeardown: '<rootDir>/test/faults/global-teardown.ts',
      testEnvironment: '<rootDir>/test/faults/environment.js',
      runner: '<rootDir>/test/kafka/serial-runner.js',
    },
  ],
};
