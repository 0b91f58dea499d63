import type { Verdict } from '../../../scripts/chaos/count/verdict';
import { Story } from '../../../scripts/chaos/story';
import { type Outcome, summaryOf, troubleOf } from '../../../scripts/chaos/summary';

const WELL: Verdict = {
  ...{ records: 100, expected: 150, results: 150, lost: 0, doubled: 0, disordered: 0, wrongRows: 0, inputLost: 0 },
  ...{ longestGapMs: 1_200, longestPartitionGapMs: 3_400, examples: [] },
};

function outcome(more: Partial<Outcome> = {}): Outcome {
  const story = new Story(() => 1_500);
  story.count('killBroker');
  story.count('freezeLong');
  story.count('killBroker');
  for (const generation of [4, 5, 5, 7]) story.joined(generation);
  story.failed('FENCED');
  return {
    seed: 3,
    seconds: 60,
    tookSeconds: 61,
    standbyReplicas: 1,
    threads: 2,
    story,
    verdict: WELL,
    unrest: [],
    restMs: 4_200.7,
    ...more,
  };
}

describe('the summary of a chaos run', () => {
  it('is one line of JSON: faults by kind, records, lost, doubled, longest gap, rebalances', () => {
    expect(JSON.parse(JSON.stringify(summaryOf(outcome())))).toEqual({
      ...{
        seed: 3,
        seconds: 60,
        tookSeconds: 61,
        standbyReplicas: 1,
        threads: 2,
        faults: { freezeLong: 1, killBroker: 2 },
        records: 100,
        expected: 150,
        results: 150,
      },
      ...{ lost: 0, doubled: 0, disordered: 0, wrongRows: 0, inputLost: 0, longestGapMs: 1_200, longestPartitionGapMs: 3_400 },
      ...{ rebalances: 2, failures: { FENCED: 1 }, atRest: true, restMs: 4_201 },
    });
  });

  it('has no trouble when all is well', () => {
    expect(troubleOf(outcome())).toEqual([]);
  });

  it.each(['lost', 'doubled', 'disordered', 'wrongRows', 'inputLost'] as const)('has trouble with one %s', (what) => {
    expect(troubleOf(outcome({ verdict: { ...WELL, [what]: 1 } }))).toHaveLength(1);
  });

  it('has trouble when nothing was written, and when it did not come to rest', () => {
    expect(troubleOf(outcome({ verdict: { ...WELL, records: 0 }, unrest: ['a is frozen'] }))).toEqual([
      'nothing was written',
      'a is frozen',
    ]);
  });
});

describe('a story', () => {
  it('has a line with its time for each thing that happened', () => {
    const heard: string[] = [];
    const story = new Story(
      () => 12_340,
      (line) => heard.push(line),
    );
    story.tell('broker 2', 'kill -9');
    expect(story.lines).toEqual(['   12.3 s  broker 2     kill -9']);
    expect(heard).toEqual(story.lines);
  });
});
