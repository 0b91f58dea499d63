/** The operators against what Kafka Streams itself gives. */
import { join } from 'node:path';
import type { Outcome } from '../../scripts/vectors/outcome';
import { runVectorFile } from '../../scripts/vectors/run-file';

function failuresOf(outcomes: readonly Outcome[]): readonly Outcome[] {
  return outcomes.filter(({ result }) => result !== 'passed');
}

async function run(file: string): Promise<readonly Outcome[]> {
  return runVectorFile(join(__dirname, file));
}

describe('results of Kafka Streams', () => {
  it('are met by tumbling windows, all of them, known defects by the rule', async () => {
    const outcomes = await run('tumbling.json');
    expect(failuresOf(outcomes)).toEqual([]);
    expect(outcomes).toHaveLength(39);
  });

  it('are met by hopping windows, all of them, known defects by the rule', async () => {
    const outcomes = await run('hopping.json');
    expect(failuresOf(outcomes)).toEqual([]);
    expect(outcomes).toHaveLength(35);
  });

  it('are met by sliding windows, all of them, known defects by the rule', async () => {
    const outcomes = await run('sliding.json');
    expect(failuresOf(outcomes)).toEqual([]);
    expect(outcomes).toHaveLength(37);
  });

  it('are met by sessions, all of them', async () => {
    const outcomes = await run('session.json');
    expect(failuresOf(outcomes)).toEqual([]);
    expect(outcomes).toHaveLength(44);
  });

  it('are met by joins of streams, all that say what is right', async () => {
    const outcomes = await run('join-stream.json');
    expect(outcomes).toHaveLength(73);
    const others = failuresOf(outcomes);
    expect(others.map(({ name, result }) => [name, result])).toEqual([['join-stream/defect-late-contradiction', 'skipped']]);
  });

  it('are met by joins of a stream with a table, all that say what is right', async () => {
    const outcomes = await run('join-table.json');
    expect(outcomes).toHaveLength(31);
    const others = failuresOf(outcomes);
    expect(others.map(({ name, result }) => [name, result])).toEqual([['join-table/left-grace-null-key', 'skipped']]);
  });

  it('are met by suppress, all that say what is right', async () => {
    const outcomes = await run('suppress.json');
    expect(outcomes).toHaveLength(43);
    const others = failuresOf(outcomes);
    expect(others.map(({ name, result }) => [name, result])).toEqual([
      ['suppress/session-twice-final', 'skipped'],
      ['suppress/sliding-twice-final', 'skipped'],
    ]);
  });

  it('are met by bytes and hashes of keys, all of them', async () => {
    const outcomes = await run('keys.json');
    expect(failuresOf(outcomes)).toEqual([]);
    expect(outcomes).toHaveLength(286);
  });

  it('are met by aggregates by key and by several streams, all that say what is right', async () => {
    const outcomes = await run('aggregate.json');
    expect(outcomes).toHaveLength(18);
    const others = failuresOf(outcomes);
    expect(others.map(({ name, result }) => [name, result])).toEqual([['aggregate/cogroup-windowed/default-retention', 'skipped']]);
  });
});
