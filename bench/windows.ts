import { spawn } from 'node:child_process';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import type { Emit } from '../operators';
import { spreads } from './windows/clicks';
import { kindNames, type KindName, kinds } from './windows/kinds';
import type { Case, Figures } from './windows/measured-kind';

const GOALS = { hoppingAgainstTumbling: 4, sessionsPerSecond: 150_000 };
const ROOT = resolve(__dirname, '..');
const EMITS: readonly Emit[] = ['update', 'change', 'close'];

type Row = Case & Figures;

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
      'cpu-prof-dir': { type: 'string' },
    },
  });
  const records = Number(values.records);
  const cases = chosen('emit', values.emit, EMITS).flatMap((emit) =>
    chosen('keys', values.keys, spreads).flatMap((spread) =>
      chosen('kinds', values.kinds, kindNames).map((kind): Case => ({ kind, spread, emit, records })),
    ),
  );
  const profile = values['cpu-prof-dir'];
  const nodeOptions = profile === undefined ? [] : ['--cpu-prof', `--cpu-prof-dir=${resolve(profile)}`];
  await output(join(ROOT, 'node_modules', '.bin', 'tsc'), ['-p', join(__dirname, 'windows', 'tsconfig.compile.json')]);
  const rows = await inTurn(cases, Number(values.rounds), nodeOptions);
  return { records, windows: rows, ...verdict(rows) };
}

function chosen<T extends string>(option: string, given: string, known: readonly T[]): readonly T[] {
  const names = given.split(',');
  const unknown = names.find((name) => !(known as readonly string[]).includes(name));
  if (unknown !== undefined) throw new Error(`--${option}: there is no ${unknown}; there are ${known.join(', ')}`);
  return known.filter((name) => names.includes(name));
}

async function inTurn(cases: readonly Case[], rounds: number, nodeOptions: readonly string[]): Promise<readonly Row[]> {
  const all = cases.map((one) => ({ one, rounds: [] as Figures[] }));
  for (let round = 0; round < rounds; round++) for (const { one, rounds } of all) rounds.push(await measured(one, nodeOptions));
  const rows = all.map(({ one, rounds }): Row => ({ ...one, ...median(rounds) }));
  for (const row of rows) console.log(describe(row));
  return rows;
}

/** By CPU time, which others on the machine change least. */
function median(rounds: readonly Figures[]): Figures {
  return [...rounds].sort((a, b) => a.cpuMicroseconds - b.cpuMicroseconds)[rounds.length >> 1]!;
}

function describe({ kind, emit, spread, ...figures }: Row): string {
  const thousands = String(Math.round(figures.recordsPerSecond / 1000)).padStart(5);
  return (
    `${kinds[kind].title.padEnd(30)} ${emit.padEnd(7)} ${spread.padEnd(8)}${thousands} thousand records/s ` +
    `${figures.cpuMicroseconds.toFixed(2).padStart(6)} µs CPU a record, ${figures.outputsPerRecord.toFixed(2)} outputs, ` +
    `${figures.changelogPerRecord.toFixed(2)} changelog records, peak ${figures.peakMiB} MiB`
  );
}

/** Compiled to JavaScript as a user's build does it. */
async function measured({ kind, spread, emit, records }: Case, nodeOptions: readonly string[]): Promise<Figures> {
  const program = join(ROOT, 'bench', 'target', 'bench', 'windows', 'measured-kind.js');
  const said = await output(process.execPath, [...nodeOptions, program, kind, spread, emit, String(records)]);
  return JSON.parse(said) as Figures;
}

/** What a program has printed. */
function output(program: string, args: readonly string[]): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'inherit'] });
    let said = '';
    child.stdout.on('data', (bytes: Buffer) => (said += bytes.toString()));
    child.on('error', reject);
    child.on('exit', (code) => {
      if (code === 0) resolve(said);
      else reject(new Error(`${program} ${args.join(' ')} ended with ${String(code)}\n${said}`));
    });
  });
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
