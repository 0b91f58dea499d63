import { Ground } from './ground';
import { until } from './until';

const TRANSACTION_MS = 25_000;

describe('a transaction that the broker ends by its timeout', () => {
  it('is done again by its instance, which was stopped for longer than that and is still a member', () =>
    Ground.with('transaction-timeout', async (ground) => {
      const writer = ground.writer();
      const one = await ground
        .worker('one', {
          config: { transactionTimeout: TRANSACTION_MS, sessionTimeout: 4 * TRANSACTION_MS },
        })
        .running();
      await ground.settled(one);
      one.atNext('between offsets and EndTxn', 'SIGSTOP');
      await one.stopped();
      const stoppedAt = Date.now();
      // A record of the transaction is in the log, and stays undecided until the broker aborts it.
      const open = await ground.committed(ground.job.output);
      expect(open.undecided).toBeGreaterThan(0);
      await until(
        'the broker has aborted it',
        TRANSACTION_MS + 30_000,
        async () => (await ground.committed(ground.job.output)).undecided === 0,
      );
      ground.told(`aborted ${Date.now() - stoppedAt} ms after it stopped`);
      one.signal('SIGCONT');
      const wokenAt = Date.now();
      await one.until('it works again', 60_000, () => one.committedSince(wokenAt).length > 5);
      ground.told(`back at work ${one.committedSince(wokenAt)[0]!.at - wokenAt} ms after it woke`);
      await writer.stop();
      await ground.expectExactlyOnce(writer);
    }));
});
