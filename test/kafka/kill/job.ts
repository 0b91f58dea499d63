import { mapValues, countWithStore, to } from '../../../operators';
import { int64, string } from '../../../src/codec/primitives';
import { internalTopic, topic } from '../../../src/codec/topic';
import type { InternalTopic, Topic } from '../../../src/model/topic';
import { keyValueStore } from '../../../src/state/definition';
import type { Topology } from '../../../src/task/topology';

/** Topics of one kill test; input: key = word, value = anything. */
export interface KillJob {
  readonly input: Topic<string, string>;
  readonly output: Topic<string, string>;
  readonly topology: Topology;
  readonly topics: readonly string[];
}

/** Counts words behind a repartition; each count goes out as text, so that a reader that knows nothing of ours can check 1, 2, 3 … */
export function killJob(application: string): KillJob {
  const input = topic(`${application}-input`, { key: string, value: string });
  const output = topic(`${application}-output`, { key: string, value: string });
  const byWord: InternalTopic<string, string> = internalTopic('by-word', input);
  const counts = keyValueStore('counts', { key: string, value: int64 });
  return {
    input,
    output,
    topology: ({ stream, store, repartition }) =>
      stream(input).pipe(
        repartition(byWord, (word) => word),
        countWithStore(store(counts)),
        mapValues((count) => String(count)),
        to(output),
      ),
    topics: [input.name, output.name, `${application}-by-word-repartition`, `${application}-counts-changelog`],
  };
}
