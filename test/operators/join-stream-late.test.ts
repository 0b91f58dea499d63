import type { JoinKind, LateJoinRecord } from '../../operators';
import { string } from '../../src/codec/primitives';
import { joinStore } from '../../src/state/join-definition';
import { memoryStore, record } from '../../src/testing';
import { droppedRecords } from '../../src/testing/memory-store';
import { type Arriving, joined, type Text } from './joined';

const windowed = (before: number, after: number, grace = 0) =>
  joinStore('pairs', { key: string, left: string, right: string, windows: { before, after, grace } });
const pairs = windowed(10, 20, 5);
const at = (timestamp: number, value = String(timestamp), key = 'k'): Text => record(key, value, timestamp);

interface Found {
  readonly lines: readonly string[];
  readonly late: readonly LateJoinRecord<string, string, string>[];
  readonly dropped: number;
}

function outcome(arriving: readonly Arriving[], kind: JoinKind = 'inner', definition = pairs, lateRecords?: 'refuse' | 'join'): Found {
  const store = memoryStore(definition);
  const late: LateJoinRecord<string, string, string>[] = [];
  const observer = { next: (one: LateJoinRecord<string, string, string>) => late.push(one) };
  const { lines } = joined(store, arriving, { kind, late: observer, ...(lateRecords !== undefined && { lateRecords }) });
  return { lines, late, dropped: droppedRecords(store) };
}

describe('W14: a record of a join that comes later than window and grace', () => {
  const now = { right: at(100, 'now', 'o') };

  it('is counted, shown to late, and meets nobody, now or later', () => {
    const partner = { right: at(74, 'x') };
    const { lines, late, dropped } = outcome([partner, now, { left: at(74, 'a') }, { right: at(85, 'y') }]);
    expect(lines).toEqual([]);
    expect(dropped).toBe(1);
    expect(late).toEqual([
      { side: 'left', record: at(74, 'a'), window: { start: 64, end: 94 }, streamTime: 100, watermark: 100, lateness: 26 },
    ]);
  });

  it('is one by the end of its own window: after for the left side, before for the right', () => {
    const { late, dropped } = outcome([now, { left: at(75) }, { left: at(74) }, { right: at(85) }, { right: at(84) }]);
    expect(late.map(({ side, record: { timestamp } }) => `${side} ${timestamp}`)).toEqual(['left 74', 'right 84']);
    expect(dropped).toBe(2);
  });

  it.each<[JoinKind, string[], number]>([
    ['left', ['1: k left - at 74'], 1],
    ['outer', ['1: k left - at 74', '2: k - right at 84'], 0],
  ])('comes out alone at once where its side does, so that it is not lost (%s)', (kind, lines, dropped) => {
    const found = outcome([now, { left: at(74, 'left') }, { right: at(84, 'right') }, { right: at(100, 'z', 'o') }], kind);
    expect(found.lines).toEqual(lines);
    expect(found.dropped).toBe(dropped);
    expect(found.late).toHaveLength(2);
  });

  it('is none while it is no older than the grace, though all its partners lie before it', () => {
    const definition = windowed(20, -5, 3);
    const arriving = [{ right: at(10) }, { left: at(33, 'o', 'o') }, { left: at(30) }, { left: at(29) }];
    expect(outcome(arriving, 'inner', definition)).toMatchObject({ lines: ['2: k 30 10 at 30'], dropped: 1, late: [{ record: at(29) }] });
  });

  it('is none with a null key or value: that is counted as such', () => {
    const nobody = null as unknown as string;
    const { late, dropped } = outcome([now, { left: at(5, nobody) }, { left: at(5, 'a', nobody) }]);
    expect(late).toEqual([]);
    expect(dropped).toBe(2);
  });
});

describe('a record of a join that comes in time', () => {
  it('meets every partner that came in time, also one that has come out alone', () => {
    const arriving = [{ left: at(10, 'a') }, { right: at(36, 'now', 'o') }, { right: at(25, 'x') }];
    expect(outcome(arriving, 'left').lines).toEqual(['1: k a - at 10', '2: k a x at 25']);
  });

  it('meets the oldest that can be met, however many rows of its side came since', () => {
    const definition = windowed(10, 20);
    // At event time 30: a right record of 20 is in time to the very instant, and reaches back to 0.
    const others = [5, 10, 20, 30].map((time) => ({ left: at(time, 'o', 'o') }));
    expect(outcome([{ left: at(0, 'a') }, ...others, { right: at(20, 'x') }], 'inner', definition).lines).toEqual(['5: k a x at 20']);
  });
});

describe('lateRecords: join', () => {
  const definition = windowed(10, 10, 5);

  it('lets late records meet whom Kafka Streams would show: newer than the greatest time of their side less before, after and grace', () => {
    const arriving = [
      { left: at(10, 'a') },
      { right: at(60, 'now') },
      { right: at(10, 'x') },
      { left: at(35, 'hides a') },
      { right: at(11, 'y') },
    ];
    const found = outcome(arriving, 'inner', definition, 'join');
    expect(found.lines).toEqual(['2: k a x at 10']);
    expect(found.dropped).toBe(0);
    expect(found.late.map(({ record: { value } }) => value)).toEqual(['x', 'hides a', 'y']);
  });

  it('lets one that meets nobody come out alone at once', () => {
    expect(outcome([{ left: at(100, 'now', 'o') }, { left: at(50, 'a') }], 'left', definition, 'join').lines).toEqual(['1: k a - at 50']);
  });

  it('changes nothing for records that are in time', () => {
    const arriving = [{ left: at(10, 'a') }, { right: at(20, 'x') }, { left: at(15, 'b') }, { right: at(46, 'y') }, { left: at(46, 'c') }];
    for (const kind of ['inner', 'left', 'outer'] as const) {
      expect(outcome(arriving, kind, definition, 'join').lines).toEqual(outcome(arriving, kind, definition).lines);
    }
  });
});
