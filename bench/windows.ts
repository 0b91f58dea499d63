import { fork } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import type { Emit } from '../src';
import { clicks, type Spread, spreads } from './windows/clicks';
import { kindNames, type KindName, kinds } from './windows/kinds';
import { fetchedRecords } from './without-broker/fetched-records';
import { TaskAlone } from './without-broker/task-alone';

/** The first quarter warms up. */
const WARM_UP = 0.25;
const GOALS = { hoppingAgainstTumbling: 4, sessionsPerSecond: 150_000 };

interface Case {
  readonly kind: KindName;
  readonly spread: Spread;
  readonly emit: Emit;
  readonly records: number;
}

interface Figures {
  readonly recordsPerSecond: number;
  readonly cpuMicroseconds: number;
  readonly outputsPerRecord: number;
  readonly changelogPerRecord: number;
  readonly peakMiB: number;
}

/** Counts in windows of every kind, without a broker; a process each, so that none runs on what another has made the compiler think. */
export async function run(args: readonly string[]): Promise<object> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      records: { type: 'string', default: '1000000' },
      rounds: { type: 'string', default: '1' },
      kinds: { type: 'string', default: kindNames.join(',') },
      keys: { type: 'string', default: spreads.join(',') },
      emit: { type: 'string', default: 'update,close' },
      alone: { type: 'boolean', default: false },
    },
  });
  const records = Number(values.records);
  const cases = chosen('emit', values.emit, ['update', 'change', 'close']).flatMap((emit) =>
    chosen('keys', values.keys, spreads).flatMap((spread) =>
      chosen('kinds', values.kinds, kindNames).map((kind): Case => ({ kind, spread, emit, records })),
    ),
  );
  if (values.alone) return measure(cases[0]!);
  const measured = await inTurn(cases, Number(values.rounds));
  return { records, windows: measured, ...verdict(measured) };
}

function chosen<T extends string>(option: string, given: string, known: readonly T[]): readonly T[] {
  const names = given.split(',');
  const unknown = names.find((name) => !(known as readonly string[]).includes(name));
  if (unknown !== undefined) throw new Error(`--${option}: there is no ${unknown}; there are ${known.join(', ')}`);
  return known.filter((name) => names.includes(name));
}

type Row = Case & Figures;

async function inTurn(cases: readonly Case[], rounds: number): Promise<readonly Row[]> {
  const all = cases.map((one) => ({ one, rounds: [] as Figures[] }));
  for (let round = 0; round < rounds; round++) for (const { one, rounds } of all) rounds.push(await inProcess(one));
  return all.map(({ one, rounds }) => {
    const figures = median(rounds);
    console.log(
      `${kinds[one.kind].title.padEnd(30)} ${one.emit.padEnd(7)} ${one.spread.padEnd(8)}` +
        `${String(Math.round(figures.recordsPerSecond / 1000)).padStart(5)} thousand records/s ` +
        `${figures.cpuMicroseconds.toFixed(2).padStart(6)} µs CPU a record, ${figures.outputsPerRecord.toFixed(2)} outputs, ` +
        `${figures.changelogPerRecord.toFixed(2)} changelog records, peak ${figures.peakMiB} MiB`,
    );
    return { ...one, ...figures };
  });
}

/** By CPU time, which others on the machine change least. */
function median(rounds: readonly Figures[]): Figures {
  return [...rounds].sort((a, b) => a.cpuMicroseconds - b.cpuMicroseconds)[rounds.length >> 1]!;
}

function inProcess({ kind, spread, emit, records }: Case): Promise<Figures> {
  const options = [`--kinds=${kind}`, `--keys=${spread}`, `--emit=${emit}`, `--records=${records}`];
  return new Promise((resolve, reject) => {
    const child = fork(join(__dirname, 'main.ts'), ['windows', '--alone', ...options], { stdio: ['ignore', 'pipe', 'inherit', 'ipc'] });
    let said = '';
    child.stdout!.on('data', (bytes: Buffer) => (said += bytes.toString()));
    child.on('exit', (code) => {
      if (code === 0) resolve(JSON.parse(said.trim().split('\n').at(-1)!) as Figures);
      else reject(new Error(`${kind}, ${spread}, ${emit} ended with ${code}`));
    });
  });
}

async function measure({ kind, spread, emit, records }: Case): Promise<Figures> {
  const directory = await mkdtemp(join(tmpdir(), 'millrace-bench-'));
  const { topology, pace } = kinds[kind];
  let began: { readonly records: number; readonly at: number; readonly cpu: NodeJS.CpuUsage } | undefined;
  const committed = (done: number): void => {
    if (began === undefined && done >= WARM_UP * records) began = { records: done, at: performance.now(), cpu: process.cpuUsage() };
  };
  // All of it beforehand: what it costs to make records up is nobody's concern.
  const chunks = [...fetchedRecords(clicks({ records, spread, pace }))];
  const task = await TaskAlone.open({ topology: topology(emit), directory, committed });
  try {
    await task.run(chunks[Symbol.iterator]());
    const { user, system } = process.cpuUsage(began!.cpu);
    const seconds = (performance.now() - began!.at) / 1000;
    const steady = task.records - began!.records;
    return {
      recordsPerSecond: Math.round(steady / seconds),
      cpuMicroseconds: (user + system) / steady,
      outputsPerRecord: task.outputs / task.records,
      changelogPerRecord: task.changelogRecords / task.records,
      peakMiB: Math.round(process.resourceUsage().maxRSS / 1024),
    };
  } finally {
    await task.close();
    await rm(directory, { recursive: true, force: true });
  }
}

function verdict(rows: readonly Row[]): object {
  const find = (kind: KindName, { spread, emit }: Case): Row | undefined =>
    rows.find((row) => row.kind === kind && row.spread === spread && row.emit === emit);
  const hopping = rows
    .filter(({ kind }) => kind === 'hopping')
    .map((row) => ({ spread: row.spread, emit: row.emit, times: row.cpuMicroseconds / (find('tumbling', row)?.cpuMicroseconds ?? NaN) }));
  const sessions = rows.filter(({ kind }) => kind === 'sessions').map(({ recordsPerSecond }) => recordsPerSecond);
  for (const { spread, emit, times } of hopping) {
    console.log(`hopping costs ${times.toFixed(2)} × tumbling (${emit}, ${spread}); the goal is ≤ ${GOALS.hoppingAgainstTumbling}`);
  }
  if (sessions.length > 0) console.log(`sessions: at least ${Math.min(...sessions)} records/s; the goal is ≥ ${GOALS.sessionsPerSecond}`);
  return { hoppingAgainstTumbling: hopping };
}
