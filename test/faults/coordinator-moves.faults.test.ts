import { Ground, PARTITIONS } from './ground';
import { until } from './until';

describe('a coordinator whose broker is killed', () => {
  it.each([
    ['group', 'K1: another broker knows the members, and none joins anew'],
    ['transaction', 'another broker goes on with what was under way, or ends it'],
  ] as const)('of the %s. %s', (kind, _what) =>
    Ground.with(`${kind}-moves`, async (ground) => {
      const writer = ground.writer();
      const config = { sessionTimeout: 30_000, instanceId: 'one' };
      const one = await ground.worker('one', { config }).running();
      const two = await ground.worker('two', { config: { ...config, instanceId: 'two' } }).running();
      await ground.settled(one, two);
      const rebalances = ground.rebalances;
      const key = kind === 'group' ? ground.application : `${ground.application}-one-0`;
      const coordinator = (await ground.client.coordinatorOf(kind, key))!;
      const killedAt = Date.now();
      await ground.brokers.broker(coordinator).kill();
      await until('there is another coordinator', 60_000, async () => {
        const now = await ground.client.coordinatorOf(kind, key);
        return now !== undefined && now !== coordinator;
      });
      const movedAt = Date.now();
      await one.until(
        'every task goes on',
        60_000,
        () => new Set([...one.tasksSince(movedAt), ...two.tasksSince(movedAt)]).size === PARTITIONS,
      );
      ground.told(`moved after ${movedAt - killedAt} ms, gap ${ground.longestGap(killedAt)} ms`);
      await ground.whole();
      await ground.stable(2);
      await writer.stop();
      await ground.expectExactlyOnce(writer);
      expect(ground.rebalances).toBe(rebalances);
    }),
  );
});
