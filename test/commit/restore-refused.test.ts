/** A disk that refuses a write while a task is restored, and takes the next. */
import { int64, string } from '../../src/codec/primitives';
import { keyValueStore } from '../../src/state/definition';
import { restoreStores } from '../../src/state/restore';
import { CLUSTER, TestTask } from '../state/test-task';

const balances = keyValueStore('balances', { key: string, value: int64 });

it('rows that a disk has refused are not believed to be there, though it takes what comes behind them', async () => {
  const task = new TestTask([balances.shape]);
  const [log] = task.changelogs;
  log!.commit([{ key: Buffer.from('a'), value: int64.encode(1), timestamp: 1 }]);
  await task.open();
  task.disk.failing = 1;
  const restoring = restoreStores({
    stores: task.stores,
    clusterId: CLUSTER,
    changelogs: [log!.describe()],
    // The last thing read is a marker, some time after the rows.
    read: async (_topic, _partition, from, until, apply) => {
      await log!.read(from, until, apply);
      await task.clock.advance(1_000);
      return until;
    },
    clock: task.clock,
  });
  await expect(restoring).rejects.toMatchObject({ code: 'STATE_IO' });
  await task.crash();
  expect(task.keyValue<string, number>('balances').find('a')?.value).toBe(1);
});
