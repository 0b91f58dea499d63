import { isDeepStrictEqual } from 'node:util';
import type { Expected, InputStep, Row } from './format';
import type { RunningJob } from './running-job';

/** Differences named at most: the first ones say what is wrong. */
const SHOWN = 5;

/** Runs the job over the inputs; each line tells one thing that came out otherwise than expected. */
export async function differences(job: RunningJob, inputs: readonly InputStep[], expected: Expected): Promise<readonly string[]> {
  const outputs: Row[] = [];
  const byInput: number[] = [];
  for (const [at, input] of inputs.entries()) {
    try {
      const rows = job.step(input);
      outputs.push(...rows);
      byInput.push(rows.length);
    } catch (error) {
      const rows = expected.failsAtInput === at ? [] : [`failed at input ${at} ${show(input)}: ${String(error)}`];
      return [...rows, ...compareOutputs(outputs, byInput, expected)];
    }
  }
  if (expected.failsAtInput !== undefined) return [`should have failed at input ${expected.failsAtInput} with ${expected.failure}`];
  return [
    ...compareOutputs(outputs, byInput, expected),
    ...compareCount('dropped records', job.droppedRecords(), expected.droppedRecords),
    ...compareRows('store row', (await job.store()) ?? [], expected.store),
  ];
}

function compareOutputs(outputs: readonly Row[], byInput: readonly number[], expected: Expected): string[] {
  const lines = compareRows('output', outputs, expected.outputs);
  const counts = expected.outputsByInput ?? byInput;
  for (const [at, count] of byInput.entries()) {
    if (count !== counts[at]) lines.push(`input ${at} gave ${count} outputs, should give ${counts[at]}`);
  }
  return lines.length > SHOWN ? [...lines.slice(0, SHOWN), `and ${lines.length - SHOWN} more`] : lines;
}

function compareRows(what: string, actual: readonly Row[], expected: readonly Row[] | undefined): string[] {
  if (expected === undefined) return [];
  const lines: string[] = [];
  for (let at = 0; at < Math.max(actual.length, expected.length); at++) {
    if (isDeepStrictEqual(actual[at], expected[at])) continue;
    lines.push(`${what} ${at}: ${show(actual[at])}, should be ${show(expected[at])}`);
  }
  return lines;
}

function compareCount(what: string, actual: number, expected: number | undefined): string[] {
  return expected === undefined || actual === expected ? [] : [`${what}: ${actual}, should be ${expected}`];
}

function show(value: Row | InputStep | undefined): string {
  return value === undefined ? 'nothing' : JSON.stringify(value);
}
