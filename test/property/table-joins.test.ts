/** Joins and groups of tables, row by row, over three partitions and internal topics: after each change they are what the tables hold. */
import * as fc from 'fast-check';
import { testTopology } from '../../src/testing';
import { pureRandom } from '../commit/chance';
import { EveryTable, everyJoin, PARTITIONS, RESULTS, rowsOf } from '../commit/every-join';
import type { KafkaRecord } from '../../src/model/record';

/** More with MILLRACE_SEEDS. */
const RUNS = Number(process.env['MILLRACE_SEEDS'] ?? 10);
const CHANGES = 40;

const { topology, inputs, results } = everyJoin();

type Changes = Pick<KafkaRecord<string, string | null>, 'key' | 'value'>[];

describe('joins of tables', () => {
  it('hold after each change, and after each restart, the rows that a join of the tables has', () => {
    fc.assert(
      fc.property(fc.integer(), (seed) => {
        const chance = pureRandom(seed);
        const test = testTopology(topology, { partitions: { ...PARTITIONS, ...Object.fromEntries(RESULTS.map((name) => [name, 3])) } });
        const tables = new EveryTable();
        const said = Object.fromEntries(RESULTS.map((name) => [name, [] as Changes]));
        for (let at = 0; at < CHANGES; at++) {
          const { to, change } = tables.draw(chance);
          test.pipe(inputs[to], change);
          if (chance.below(8) === 0) test.restart();
          const expected = tables.joined;
          for (const name of RESULTS) {
            said[name]!.push(...test.read(results[name]));
            expect({ at, name, rows: rowsOf(said[name]!) }).toEqual({ at, name, rows: expected[name] });
          }
        }
        test.pipe(inputs.questions, ...tables.questions());
        expect(rowsOf(test.read(results.answers))).toEqual(tables.answers);
        test.close();
      }),
      { numRuns: RUNS },
    );
  });
});
