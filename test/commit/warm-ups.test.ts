import { silentLogger } from '../../src/model/logger';
import { manualClock, type ManualClock } from '../../src/time/manual-clock';
import { WarmUps } from '../../src/commit/warm-ups';

const LONGEST_MS = 60_000;

describe('tasks that are copied in order to be taken over', () => {
  let clock: ManualClock;
  let asked: number[];
  let lags: Map<number, number>;
  let warmUps: WarmUps;
  const lagOf = (task: number): number | undefined => lags.get(task);

  beforeEach(() => {
    clock = manualClock();
    asked = [];
    lags = new Map();
    const joinAnew = (): void => void asked.push(clock.monotonic());
    warmUps = new WarmUps({ acceptableLag: 10, longestWaitMs: LONGEST_MS, clock, logger: silentLogger, joinAnew });
  });

  async function look(seconds: number): Promise<void> {
    for (let second = 0; second < seconds; second++) {
      warmUps.look(lagOf);
      await clock.advance(1_000);
    }
  }

  it('are asked for at once when their copy has come near', async () => {
    lags.set(3, 11);
    warmUps.ordered([3], lagOf);
    await look(5);
    expect(asked).toEqual([]);
    const since = clock.monotonic();
    lags.set(3, 10);
    await look(1);
    expect(asked).toEqual([since]);
  });

  it('are not asked for while nothing is known of their lag', async () => {
    warmUps.ordered([3], lagOf);
    await look(100);
    expect(asked).toEqual([]);
  });

  it('are asked for later if their copy was near already when the order was given: the leader knew', async () => {
    lags.set(3, 0);
    const since = clock.monotonic();
    warmUps.ordered([3], lagOf);
    await look(6);
    expect(asked).toEqual([since + 5_000]);
  });

  it('are asked for ever more rarely by a group that does not give them, whatever orders come in between', async () => {
    lags.set(3, 20);
    warmUps.ordered([3], lagOf);
    lags.set(3, 1);
    const since = clock.monotonic();
    for (let second = 0; second < 400; second++) {
      warmUps.ordered([3], lagOf);
      await look(1);
    }
    const seconds = asked.map((at) => (at - since) / 1_000);
    expect(seconds).toEqual([0, 5, 15, 35, 75, 135, 195, 255, 315, 375]);
  });

  it('are forgotten when they are no longer ordered', async () => {
    lags.set(3, 20);
    warmUps.ordered([3], lagOf);
    warmUps.ordered([], lagOf);
    lags.set(3, 0);
    await look(100);
    expect(asked).toEqual([]);
  });

  it('are asked for together', async () => {
    lags.set(1, 20).set(2, 20);
    warmUps.ordered([1, 2], lagOf);
    lags.set(1, 0).set(2, 0);
    await look(1);
    expect(asked).toHaveLength(1);
  });
});
