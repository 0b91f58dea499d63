/** Tables that follow from two others by any steps, in any shape, and from one another: each change begins where the last one has ended. */
import * as fc from 'fast-check';
import { Subject } from 'rxjs';
import { filterTable, joinTables, mapTable, toTable } from '../../operators';
import { float64, string } from '../../src/codec/primitives';
import type { KafkaRecord } from '../../src/model/record';
import type { Table } from '../../src/model/table';
import { keyValueStore } from '../../src/state/definition';
import { memoryStore, record } from '../../src/testing';

/** More with MILLRACE_SEEDS. */
const RUNS = Number(process.env['MILLRACE_SEEDS'] ?? 400);

type Numbers = Table<string, number>;
type Kind = 'inner' | 'left' | 'outer';

/** A table from earlier ones, by their places; `kept`: in a store. */
interface Step {
  readonly make: 'map' | 'filter' | 'copy' | Kind;
  readonly of: number;
  readonly and: number;
  readonly kept: boolean;
}

interface Row {
  readonly key: 'a' | 'b';
  readonly side: 0 | 1;
  readonly value: number | null;
}

const step: fc.Arbitrary<Step> = fc.record({
  make: fc.constantFrom<Step['make']>('map', 'filter', 'copy', 'inner', 'left', 'outer', 'inner', 'left', 'outer'),
  of: fc.nat(20),
  and: fc.nat(20),
  kept: fc.boolean(),
});
const row: fc.Arbitrary<Row> = fc.record({
  key: fc.constantFrom<'a' | 'b'>('a', 'b'),
  side: fc.constantFrom<0 | 1>(0, 1),
  value: fc.option(fc.integer({ min: 1, max: 4 }), { nil: null, freq: 3 }),
});

const mapped = (value: number): number => 3 * value + 1;
const passes = (value: number): boolean => value % 2 === 0;
const joined = (one: number | undefined, other: number | undefined): number => 2 * (one ?? 0) + 5 * (other ?? 0) + 1;

function tableOf({ make, of, and, kept }: Step, tables: readonly Numbers[], at: number): Numbers {
  const store = memoryStore(keyValueStore(`numbers-${at}`, { key: string, value: float64 }));
  const options = kept ? { store } : {};
  const [one, other] = [tables[of % tables.length]!, tables[and % tables.length]!];
  if (make === 'map') return mapTable(one, mapped, options);
  if (make === 'filter') return filterTable(one, passes, options);
  if (make === 'copy') return toTable(one.changes, store);
  return joinTables(one, other, joined, { kind: make as 'outer', ...options });
}

/** What a step has for the rows of the tables before it. */
function rowOf({ make, of, and }: Step, rows: readonly (number | undefined)[]): number | undefined {
  const [one, other] = [rows[of % rows.length], rows[and % rows.length]];
  if (make === 'map') return one === undefined ? undefined : mapped(one);
  if (make === 'filter') return one !== undefined && passes(one) ? one : undefined;
  if (make === 'copy') return one;
  const isThere = one === undefined ? make === 'outer' && other !== undefined : other !== undefined || make !== 'inner';
  return isThere ? joined(one, other) : undefined;
}

describe('derived tables', () => {
  it('chain their updates, and end with the rows that follow from the last ones', () => {
    fc.assert(
      fc.property(
        fc.array(step, { minLength: 1, maxLength: 6 }),
        fc.array(fc.nat(7), { maxLength: 3 }),
        fc.array(row, { maxLength: 12 }),
        (steps, watched, changes) => {
          const sources = [new Subject<KafkaRecord<string, number | null>>(), new Subject<KafkaRecord<string, number | null>>()] as const;
          const tables = sources.map((source, at) =>
            toTable(source, memoryStore(keyValueStore(`source-${at}`, { key: string, value: float64 }))),
          );
          steps.forEach((each, at) => tables.push(tableOf(each, tables, at)));
          // Somebody may already listen further up: then they are told first.
          for (const at of watched) tables[at % tables.length]!.changes.subscribe();
          const last = new Map<string, number | undefined>();
          const broken: unknown[] = [];
          tables.at(-1)!.updates.subscribe(({ key, value: { before, after } }) => {
            if (before !== last.get(key)) broken.push({ key, before, last: last.get(key) });
            last.set(key, after);
          });
          // What nobody follows is not kept up.
          tables.forEach((table) => table.changes.subscribe());
          const rows = { a: [undefined, undefined] as (number | undefined)[], b: [undefined, undefined] as (number | undefined)[] };
          changes.forEach(({ key, side, value }, time) => {
            rows[key][side] = value ?? undefined;
            sources[side].next(record(key, value, time));
            const expected = [...rows[key]];
            for (const each of steps) expected.push(rowOf(each, expected));
            expect(broken).toEqual([]);
            expect(last.get(key)).toBe(expected.at(-1));
            expect(tables.map((table) => table.get(key))).toEqual(expected);
          });
        },
      ),
      { numRuns: RUNS },
    );
  });
});
