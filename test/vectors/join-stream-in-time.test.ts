/** Where no record is late, a join gives what Kafka Streams gives without being told to treat late ones as it does. */
import { join } from 'node:path';
import { differences } from '../../scripts/vectors/differences';
import { type Case, type CaseFile, readVectors } from '../../scripts/vectors/format';
import { joinStreamJob } from '../../scripts/vectors/join-stream-job';

const { cases } = readVectors(join(__dirname, 'join-stream.json')) as CaseFile;

/** The recordings say so, but of a stream joined with itself; and where all partners lie before a record, it is not late by itself. */
function isInTime({ job, inputs, ...more }: Case & { readonly lateRecords?: boolean }): boolean {
  const [before, after] = [job['before'] as number, job['after'] as number];
  if (job['self'] !== true) return more.lateRecords !== true || before < 0 || after < 0;
  const times = inputs.map((input) => ('timestamp' in input ? input.timestamp : 0));
  return times.every((time, at) => Math.max(...times.slice(0, at + 1)) - time <= Math.min(before, after) + (job['grace'] as number));
}

describe('records that come in time', () => {
  const inTime = cases.filter(isInTime);

  it('are those of most recordings', () => {
    expect(inTime.length).toBeGreaterThan(40);
  });

  it.each(inTime.map((one) => [one.name, one] as const))('%s', async (_, { job, inputs, ...expected }) => {
    expect(await differences(joinStreamJob(job, 'refuse'), inputs, expected)).toEqual([]);
  });
});
