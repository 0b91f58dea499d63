'use strict';

/**
 * Imports point one way. Each layer is a set of paths; a file may import from its own layer and from those it is given below.
 *
 *   model ← errors, time ← config | codec, state, kafka ← operators ← task ← commit ← threads ← app ← observe, cli, testing
 */
const LAYERS = {
  model: '^src/model/',
  base: '^src/(errors|time)/',
  ports: '^src/(codec|state|kafka)/',
  operators: '^operators/',
  task: '^src/task/',
  commit: '^src/commit/',
  config: '^src/config\\.ts$',
  threads: '^src/threads/',
  app: '^src/app\\.ts$',
  edge: '^src/(observe|cli|testing)/',
  adapters: '^src/(kafkajs|level|memory)/',
  root: '^src/(millrace|index|worker)\\.ts$',
};

/** Which layers each one may import, apart from itself. */
const BELOW = {
  model: [],
  base: ['model'],
  ports: ['model', 'base'],
  operators: ['model', 'base', 'ports'],
  // A table of a topic is an operator over the topic's stream.
  task: ['model', 'base', 'ports', 'operators'],
  config: ['model', 'base'],
  commit: ['model', 'base', 'ports', 'config', 'task'],
  // What runs an instance in a worker thread, and tells the app what it does; it is handed what makes the thread, and adapters.
  threads: ['model', 'base', 'ports', 'config', 'task', 'commit'],
  app: ['model', 'base', 'ports', 'config', 'task', 'commit', 'threads'],
  edge: ['model', 'base', 'ports', 'config', 'task', 'commit', 'threads', 'app', 'operators'],
  adapters: ['model', 'base', 'ports'],
};

const CODE = '^(src|operators)/';

const layerRules = Object.entries(BELOW).map(([layer, below]) => ({
  name: `layer-${layer}`,
  comment: `${LAYERS[layer]} may import only itself and: ${below.join(', ') || 'nothing'}. Code that two layers need belongs below both.`,
  severity: 'error',
  from: { path: LAYERS[layer] },
  // What names adapters has a rule of its own: it is not only a matter of layers.
  to: { path: CODE, pathNot: [LAYERS[layer], LAYERS.adapters, ...below.map((name) => LAYERS[name])] },
}));

module.exports = {
  forbidden: [
    {
      name: 'no-circular',
      comment: 'A cycle, types included: neither file can be understood alone.',
      severity: 'error',
      from: {},
      to: { circular: true },
    },
    ...layerRules,
    {
      name: 'every-folder-has-a-layer',
      comment: 'A new folder or file under src/ takes its place in LAYERS first.',
      severity: 'error',
      from: { path: '^src/', pathNot: Object.values(LAYERS) },
      to: {},
    },
    {
      name: 'adapters-only-at-the-root',
      comment:
        'Only src/millrace.ts, src/worker.ts, src/index.ts and src/testing/ name kafkajs/, level/ and memory/: everything else meets them through a port.',
      severity: 'error',
      from: { path: CODE, pathNot: [LAYERS.adapters, LAYERS.root, '^src/testing/'] },
      to: { path: LAYERS.adapters },
    },
    {
      name: 'adapters-stand-alone',
      comment: 'One adapter knows nothing of another.',
      severity: 'error',
      from: { path: '^src/(kafkajs|level|memory)/' },
      to: { path: LAYERS.adapters, pathNot: '^src/$1/' },
    },
    {
      name: 'kafkajs-in-its-adapter',
      comment: 'The package kafkajs is named by src/kafkajs/ only, its types included.',
      severity: 'error',
      from: { path: CODE, pathNot: '^src/kafkajs/' },
      to: { path: 'node_modules/kafkajs/' },
    },
    {
      name: 'leveldb-in-its-adapter',
      comment: 'The package classic-level is named by src/level/ only, its types included.',
      severity: 'error',
      from: { path: CODE, pathNot: '^src/level/' },
      to: { path: 'node_modules/(classic-level|abstract-level)/' },
    },
    {
      name: 'index-is-a-door',
      comment: 'src/index.ts is the door for users: inside the house, import the file that has the thing.',
      severity: 'error',
      from: { path: CODE, pathNot: '^src/index\\.ts$' },
      to: { path: '^(src/index|src/millrace|operators/index)\\.ts$' },
    },
    {
      name: 'examples-use-the-front-door',
      comment: 'Examples import what a user can import: millrace, millrace/operators, millrace/testing.',
      severity: 'error',
      from: { path: '^examples/' },
      to: { path: CODE, pathNot: '^(src/index|operators/index|src/testing/index)\\.ts$' },
    },
    {
      name: 'oracles-are-independent',
      comment: 'An oracle that shares code with what it checks proves nothing; not through another file either.',
      severity: 'error',
      from: { path: '^examples/.*oracle[^/]*\\.ts$' },
      to: { path: CODE, reachable: true },
    },
    {
      name: 'chaos-is-counted-independently',
      comment: 'What counts lost and doubled results shares no code with what is counted.',
      severity: 'error',
      from: { path: '^scripts/chaos/count/' },
      to: { path: CODE, reachable: true },
    },
    {
      name: 'not-to-tests',
      comment: 'What is published or shown imports no test, benchmark or script.',
      severity: 'error',
      from: { path: '^(src|operators|examples)/' },
      to: { path: '^(test|bench|scripts)/' },
    },
    {
      name: 'runtime-dependencies-only',
      comment: 'What is published may import dependencies, not devDependencies (jest, fast-check, tsx...).',
      severity: 'error',
      from: { path: CODE },
      to: { dependencyTypes: ['npm-dev', 'npm-no-pkg', 'npm-unknown'] },
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    includeOnly: { path: '^(src|operators|test|examples|bench|scripts|node_modules)/' },
    exclude: { path: '(^|/)(dist|target)/' },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['types', 'require', 'node', 'default'],
      mainFields: ['main', 'types'],
    },
    skipAnalysisNotInRules: true,
  },
};
