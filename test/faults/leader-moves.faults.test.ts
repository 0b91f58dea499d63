import { Ground, PARTITIONS } from './ground';
import { until } from './until';

const ROUNDS = 9;

describe('leaders that move during produce and fetch', () => {
  it('K2: every record is in the log, and every task goes on within seconds', () =>
    Ground.with('leader-moves', async (ground) => {
      const writer = ground.writer();
      const workers = [await ground.worker('one').running(), await ground.worker('two').running()];
      await ground.stable(2);
      const begin = Date.now();
      let moved = 0;
      for (let round = 0; round < ROUNDS; round++) {
        const { partitions } = await ground.client.metadata(ground.job.topics);
        // Each partition's next replica comes first, and is the one preferred from now on.
        const turned = partitions.map(({ topic, partition, replicas }) => ({
          ...{ topic, partition },
          replicas: [...replicas.slice(1), ...replicas.slice(0, 1)],
        }));
        await ground.client.reorderReplicas(turned);
        await until('the new order is known', 30_000, async () => {
          const seen = await ground.client.metadata(ground.job.topics);
          return seen.partitions.every(
            ({ topic, partition, replicas }) =>
              replicas[0] === turned.find((each) => each.topic === topic && each.partition === partition)!.replicas[0],
          );
        });
        await ground.client.electPreferredLeaders(turned);
        const movedAt = Date.now();
        await until('every partition has its new leader', 30_000, async () => {
          const seen = await ground.client.metadata(ground.job.topics);
          return seen.partitions.every(({ leader, replicas }) => leader === replicas[0]);
        });
        moved += turned.length;
        await workers[0]!.until(
          'every task goes on',
          30_000,
          () => new Set(workers.flatMap((worker) => [...worker.tasksSince(movedAt)])).size === PARTITIONS,
        );
      }
      ground.told(`${moved} leaders moved, longest gap ${ground.longestGap(begin)} ms`);
      await writer.stop();
      await ground.expectExactlyOnce(writer);
    }));
});
