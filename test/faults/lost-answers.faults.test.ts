import { WireProxies } from '../../scripts/chaos/wire-proxy';
import { Ground } from './ground';

const TIMES = 3;
/** Of every commit, and of its member. */
const OFTEN = ['Produce', 'AddPartitionsToTxn', 'AddOffsetsToTxn', 'TxnOffsetCommit', 'EndTxn', 'Heartbeat', 'Fetch'] as const;
/** Of a start, or a join. */
const SELDOM = ['InitProducerId', 'JoinGroup', 'SyncGroup', 'OffsetFetch'] as const;
const STRUCK_WITHIN_MS = 60_000;

/** As an instance sees the brokers; what the proxies do, they do to it alone. */
async function withProxies(ground: Ground, body: (proxies: WireProxies) => Promise<void>): Promise<void> {
  const brokers = ground.brokers.bootstrap.map((address) => ({ host: address.split(':')[0]!, port: Number(address.split(':')[1]) }));
  const proxies = await WireProxies.between(brokers);
  try {
    await body(proxies);
  } finally {
    await proxies.close();
  }
}

describe('answers that are lost after their requests took effect', () => {
  it('K3, K6: of commits and heartbeats: no record is lost or doubled, none is in the place of another', () =>
    Ground.with('lost-answers', (ground) =>
      withProxies(ground, async (proxies) => {
        const writer = ground.writer();
        const steady = await ground.worker('steady').running();
        const struck = await ground.worker('struck', { brokers: proxies.addresses }).running();
        await ground.settled(steady, struck);
        for (const request of OFTEN) {
          for (let time = 0; time < TIMES; time++) {
            expect({ request, lost: await proxies.loseAnswer(request, STRUCK_WITHIN_MS) }).toEqual({ request, lost: true });
            const at = Date.now();
            await struck.until(`it commits after a lost answer to ${request}`, 60_000, () => struck.committedSince(at).length > 0);
          }
        }
        ground.told(`${OFTEN.length * TIMES} answers lost`);
        await writer.stop();
        await ground.expectExactlyOnce(writer);
      }),
    ));

  it('of its start and its joins: it begins all the same', () =>
    Ground.with('lost-starts', (ground) =>
      withProxies(ground, async (proxies) => {
        const writer = ground.writer();
        await ground.worker('steady').running();
        for (const request of SELDOM) {
          const struck = ground.worker(`struck-${request}`, { brokers: proxies.addresses });
          expect({ request, lost: await proxies.loseAnswer(request, STRUCK_WITHIN_MS) }).toEqual({ request, lost: true });
          await struck.until('it commits', 60_000, () => struck.committedSince(0).length > 0);
          struck.signal('SIGTERM');
          expect(await struck.ended()).toEqual({ code: 0, signal: null });
        }
        await ground.stable(1);
        ground.told(`an answer to each of ${SELDOM.join(', ')} lost`);
        await writer.stop();
        await ground.expectExactlyOnce(writer);
      }),
    ));
});

describe('old copies that are executed after their retry', () => {
  it('K3: of requests of a commit: nothing of them counts', () =>
    Ground.with('late-copies', (ground) =>
      withProxies(ground, async (proxies) => {
        const writer = ground.writer();
        const steady = await ground.worker('steady').running();
        const struck = await ground.worker('struck', { brokers: proxies.addresses }).running();
        await ground.settled(steady, struck);
        let held = 0;
        for (const request of OFTEN.filter((each) => each !== 'Fetch')) {
          // Into the same transaction, into the next one, long after.
          for (const delayMs of [20, 200, 2_000]) {
            expect({ request, held: await proxies.holdRequest(request, delayMs, STRUCK_WITHIN_MS) }).toEqual({ request, held: true });
            held++;
            const at = Date.now();
            await struck.until(`it commits after an old copy of ${request}`, 60_000, () => struck.committedSince(at + delayMs).length > 0);
          }
        }
        ground.told(`${held} requests came late`);
        await writer.stop();
        await ground.expectExactlyOnce(writer);
      }),
    ));
});
