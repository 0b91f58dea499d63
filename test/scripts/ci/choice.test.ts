import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { changedSince } from '../../../scripts/ci/changes';
import { choose, type Occasion } from '../../../scripts/ci/choice';
import { slowStages } from '../../../scripts/ci/slow-stages';

const ROOT = join(__dirname, '..', '..', '..');
const stage = { parts: ['a', 'b', 'c', 'd', 'e'], covers: ['src/kafka/', 'src/app.ts'], sample: 2 };
const occasion: Occasion = { all: false, changed: ['docs/rxjs.md', 'src/kafkajs-like.ts'], base: 'HEAD~20', seed: 4 };

describe('a slow stage of CI', () => {
  it('runs a sample, and says so, when nothing changed that it covers', () => {
    const { parts, why } = choose('faults', stage, occasion);
    expect(parts).toEqual(['e', 'a']);
    expect(why).toContain('SAMPLE of 2 of 5');
    expect(why).toContain('e, a');
  });

  it('samples other parts at another commit, and each of them at some', () => {
    const seen = new Set([0, 1, 2, 3, 4].flatMap((seed) => choose('faults', stage, { ...occasion, seed }).parts));
    expect([...seen].sort()).toEqual(stage.parts);
  });

  it.each(['src/kafka/fetcher.ts', 'src/app.ts'])('runs whole when %s changed', (file) => {
    const { parts, why } = choose('faults', stage, { ...occasion, changed: ['README.md', file] });
    expect(parts).toEqual(stage.parts);
    expect(why).toContain(`all 5, ${file} changed`);
  });

  it('runs whole when it is asked for, and when there is no telling what changed', () => {
    expect(choose('faults', stage, { ...occasion, all: true }).parts).toEqual(stage.parts);
    expect(choose('faults', stage, { ...occasion, changed: undefined }).parts).toEqual(stage.parts);
  });

  it('takes no more parts than there are', () => {
    expect(choose('faults', { ...stage, sample: 9 }, occasion).parts).toHaveLength(5);
  });

  it('knows every test of faults, and covers paths that are there', () => {
    for (const { parts, covers } of Object.values(slowStages(ROOT, ['demo-kafka']))) {
      expect(parts.length).toBeGreaterThan(0);
      // `scripts/kafka` stands for a folder and the files beside it.
      for (const path of covers) expect([path, existsSync(join(ROOT, path))]).toEqual([path, true]);
    }
  });
});

describe('what changed', () => {
  it('is not known of a commit that is not there', () => {
    expect(changedSince(ROOT, '0000000000000000000000000000000000000000')).toBeUndefined();
    expect(changedSince(join(ROOT, '..', 'no-such-folder'), 'HEAD')).toBeUndefined();
  });
});
