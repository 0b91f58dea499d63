/** One row of docs/rxjs.md: an operator in a topology, played record by record on the tasks of an application. */
import { merge, type Observable } from 'rxjs';
import { to } from '../../../operators';
import { string } from '../../../src/codec/primitives';
import { topic } from '../../../src/codec/topic';
import type { ErrorCode } from '../../../src/errors/codes';
import { MillraceError } from '../../../src/errors/millrace-error';
import type { KafkaRecord, Placement } from '../../../src/model/record';
import type { Task, Topology } from '../../../src/task/topology';
import { record, testTopology, type TopologyTest } from '../../../src/testing';

export type Letter = KafkaRecord<string, string, Placement>;

const input = topic('input', { key: string, value: string });
const other = topic('other', { key: string, value: string });
const copies = topic('copies', { key: string, value: string });

/** What a row is written with: the records of `input`, and of `other` where it takes part. */
export interface Given {
  readonly source: Observable<Letter>;
  readonly other: () => Observable<Letter>;
  readonly clock: Task['clock'];
}

export interface Row {
  /** Names that rxjs exports, for which this is the row. */
  readonly names: readonly string[];
  readonly topology: Topology;
  /**
   * What is done, one word a step: a small letter is a record of `input`, a capital one of `other`; `↻` a restart; `+5` lets 5 ms pass
   * on `task.clock`, `~5` on the clock of the process.
   */
  readonly steps: string;
  /** What comes out at each step: values one after the other, `-` for none, `!CODE` for an error. */
  readonly comesOut: string;
}

const STEPS = 'a b c ↻ d e';

/** @param names one word each; the rest as in `Row` */
export function row(names: string, build: (given: Given) => Observable<Letter>, comesOut: string, steps = STEPS): Row {
  return { names: names.split(' '), topology: topologyOf(build), steps, comesOut };
}

function topologyOf(build: (given: Given) => Observable<Letter>): Topology {
  return (task) => build({ source: task.stream(input), other: () => task.stream(other), clock: task.clock }).pipe(to(copies));
}

export interface Played {
  readonly comesOut: string;
  /** Every warning, as often as it was logged. */
  readonly warnings: readonly { readonly code: ErrorCode; readonly message: string }[];
}

/** Plays the steps of a row; ends with the first error, as an application would, and then with no output of that step. */
export async function play({ topology, steps }: Pick<Row, 'topology' | 'steps'>, strict: boolean): Promise<Played> {
  const warnings: { code: ErrorCode; message: string }[] = [];
  const warn = (fields: object, message: string): void => void warnings.push({ code: (fields as { code: ErrorCode }).code, message });
  const logger = { debug: ignore, info: ignore, warn, error: warn };
  const comesOut: string[] = [];
  let test: TopologyTest | undefined;
  try {
    test = testTopology(topology, { strict, logger });
    for (const [at, step] of steps.split(' ').entries()) {
      await take(step, at, test);
      comesOut.push(valuesIn(test));
    }
  } catch (error) {
    comesOut.push(`!${error instanceof MillraceError ? error.code : (error as Error).name}`);
    if (test !== undefined) expect(valuesIn(test)).toBe('-');
  } finally {
    test?.close();
  }
  return { comesOut: comesOut.join(' '), warnings };
}

/** Plays a row that pauses and, from where it stands, a topology that copies every record: all that comes out. */
export async function playThenCopy({ topology, steps }: Row): Promise<string[]> {
  const copying = topologyOf(({ source, other }) => (/[A-Z]/.test(steps) ? merge(source, other()) : source));
  let corrected = false;
  const test = testTopology((task) => (corrected ? copying : topology)(task));
  const comesOut: string[] = [];
  for (const [at, step] of steps.split(' ').entries()) {
    try {
      await take(step, at, test);
    } catch (error) {
      if (corrected || !(error instanceof MillraceError) || error.code !== 'NO_SUBSCRIBERS') throw error;
      corrected = true;
      test.restart();
    }
    comesOut.push(...valuesIn(test).replace('-', ''));
  }
  test.close();
  return comesOut;
}

async function take(step: string, at: number, test: TopologyTest): Promise<void> {
  if (step === '↻') test.restart();
  else if (step.startsWith('+')) test.advanceWallClock(Number(step));
  else if (step.startsWith('~')) await jest.advanceTimersByTimeAsync(Number(step.slice(1)));
  else test.pipe(step === step.toLowerCase() ? input : other, record('k', step, at));
  await test.settled();
}

function valuesIn(test: TopologyTest): string {
  const values = test.read(copies).map(({ value }) => value);
  return values.length === 0 ? '-' : values.join('');
}

const ignore = (): void => undefined;
