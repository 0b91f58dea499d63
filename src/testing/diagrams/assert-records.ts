import type { Outgoing } from '../../model/outgoing';
import type { KafkaRecord, Placement } from '../../model/record';
import { firstDifference, inWords } from './difference';
import { same } from './same';

type AnyRecord = Outgoing | KafkaRecord<unknown, unknown, Placement>;

/** Rows shown before and behind the first that differs. */
const AROUND = 5;

/**
 * Compares a list of outputs or records with what a test expects, under any test runner: two that differ are shown side by side, with the
 * first difference in words.
 *
 * @throws Error unless both hold equal records in the same order
 * @example assertRecords(test.read(clickCounts), [outgoing(clickCounts, 'ada', 1, 10)])
 */
export function assertRecords(actual: readonly AnyRecord[], expected: readonly AnyRecord[]): void {
  const length = Math.max(actual.length, expected.length);
  const at = Array.from({ length }, (_, i) => i).find(
    (i) => i >= Math.min(actual.length, expected.length) || !same(actual[i], expected[i]),
  );
  if (at === undefined) return;
  const rows = Array.from({ length }, (_, i) => ({ i, expected: told(expected[i]), actual: told(actual[i]) }));
  const shown = rows.slice(Math.max(0, at - AROUND), at + AROUND + 1);
  const width = Math.max('expected'.length, ...shown.map((row) => row.expected.length)) + 2;
  const digits = String(at + AROUND).length;
  throw new Error(
    [
      `The records differ at position ${at}: ${difference(actual[at], expected[at])}.`,
      '',
      `  ${' '.repeat(digits)}   ${'expected'.padEnd(width)}actual`,
      ...shown.map((row) => `${row.i === at ? '>' : ' '} ${String(row.i).padStart(digits)}   ${row.expected.padEnd(width)}${row.actual}`),
      '',
      `  ${expected.length} expected, ${actual.length} came`,
    ].join('\n'),
  );
}

function told(record: AnyRecord | undefined): string {
  return record === undefined ? '(none)' : inWords(record);
}

function difference(actual: AnyRecord | undefined, expected: AnyRecord | undefined): string {
  if (actual === undefined) return `${told(expected)} is expected, and nothing more came`;
  if (expected === undefined) return `${told(actual)} came, and nothing more is expected`;
  return firstDifference(actual, expected);
}
