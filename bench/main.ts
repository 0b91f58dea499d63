/** What a benchmark file exports: `run` prints for people as it goes and gives the figures as one object. */
interface Benchmark {
  readonly run: (args: readonly string[]) => Promise<object>;
}

/** By name, each loaded only when asked for. One line each, sorted. */
const benchmarks: Readonly<Record<string, () => Promise<Benchmark>>> = {
  codec: () => import('./codec'),
  'windowed-count': () => import('./windowed-count'),
  endurance: () => import('./endurance'),
  'fail-over': () => import('./fail-over'),
  'global-table': () => import('./global-table'),
  joining: () => import('./joining'),
  restore: () => import('./restore'),
  state: () => import('./state'),
  'table-join': () => import('./table-join'),
  windows: () => import('./windows'),
};

async function main([name, ...args]: readonly string[]): Promise<void> {
  const load = name === undefined || !Object.hasOwn(benchmarks, name) ? undefined : benchmarks[name];
  if (load === undefined) {
    console.error(`npm run bench -- <name> [options]; the names are: ${Object.keys(benchmarks).join(', ')}`);
    process.exitCode = 1;
    return;
  }
  const { run } = await load();
  const figures = await run(args);
  // The last line is for programs.
  console.log(JSON.stringify({ benchmark: name, node: process.version, ...figures }));
}

main(process.argv.slice(2)).catch((error: unknown) => {
  console.error(error);
  process.exitCode = 1;
});
