/** docs/joins.md: what its table says of times, headers and nulls, kind by kind. */
import {
  bufferStore,
  foreignKeyStore,
  groupTable,
  int64,
  internalTopic,
  joinGlobalTable,
  joinStore,
  joinStream,
  joinTable,
  joinTables,
  joinTablesByForeignKey,
  keyValueStore,
  type LateJoinRecord,
  mapTable,
  nullable,
  string,
  to,
  topic,
  type Topology,
} from '../../src';
import { record, testTopology, type TopologyTest } from '../../src/testing';
import { filter, map, merge, Subject } from 'rxjs';

const maybe = nullable(string);
const texts = { key: maybe, value: maybe };
const left = topic('left', texts);
const right = topic('right', texts);
const out = topic('out', texts);

type Given = readonly [side: 'l' | 'r', key: string | null, value: string | null, time: number];

/** Pipes what is given, each with a header of its own value and time; says what came: key, value, time, and whose headers. */
function outcome(test: TopologyTest, given: readonly Given[]): string[] {
  return given.flatMap(([side, key, value, time]) => {
    test.pipe(side === 'l' ? left : right, record(key, value, time, { from: `${side}${String(time)}` }));
    return test
      .read(out)
      .map(
        (each) =>
          `${String(each.key)} ${String(each.value)} @${String(each.timestamp)} of ${Buffer.from(each.headers.get('from') ?? []).toString()}`,
      );
  });
}

const dropped = (test: TopologyTest, operator: string, reason: string): number =>
  test.metric('dropped-records-total', { operator, reason });
const both = (a: string | null | undefined, b: string | null | undefined): string => `${a ?? '-'}${b ?? '-'}`;

/** With types that say what values there are. */
const withRow = (value: string | null, row: string | undefined): string => both(value, row);

const withTable =
  (kind: 'inner' | 'left'): Topology =>
  ({ stream, table }) =>
    stream(left).pipe(joinTable(table(right), withRow, { kind: kind as 'left' }), to(out));

describe('joinTable', () => {
  const given: Given[] = [
    ['l', 'a', '1', 5],
    ['r', 'a', 'x', 100],
    ['l', 'a', '2', 6],
    ['l', null, '3', 7],
    ['l', 'a', null, 8],
    ['r', 'a', null, 1],
    ['l', 'a', '4', 9],
    ['r', null, 'z', 10],
  ];

  it('inner', () => {
    const test = testTopology(withTable('inner'));
    expect(outcome(test, given)).toEqual(['a 2x @6 of l6']);
    expect(['null-key', 'null-value'].map((reason) => dropped(test, 'joinTable', reason))).toEqual([1, 1]);
    expect(dropped(test, 'table', 'null-key')).toBe(1);
  });

  it('left', () => {
    const test = testTopology(withTable('left'));
    expect(outcome(test, given)).toEqual(['a 1- @5 of l5', 'a 2x @6 of l6', 'null 3- @7 of l7', 'a 4- @9 of l9']);
    expect(['null-key', 'null-value'].map((reason) => dropped(test, 'joinTable', reason))).toEqual([0, 1]);
  });

  it('with a grace: released by another record, with its own time and headers; at once without a key, or too late to wait', () => {
    const waiting = bufferStore('waiting', texts);
    const inTime: Topology = ({ stream, table, store }) =>
      stream(left).pipe(joinTable(table(right, { history: 100 }), withRow, { kind: 'left', grace: 5, buffer: store(waiting) }), to(out));
    const test = testTopology(inTime);
    const came = outcome(test, [
      ['r', 'a', 'x', 1],
      ['l', 'b', '1', 10],
      ['l', 'a', '2', 10],
      ['l', 'b', '3', 9],
      ['r', 'a', 'y', 9],
      ['l', null, '4', 11],
      ['l', 'a', null, 99],
      ['l', 'c', '5', 15],
      ['l', 'a', '6', 3],
    ]);
    expect(came).toEqual(['null 4- @11 of l11', 'b 3- @9 of l9', 'a 2y @10 of l10', 'b 1- @10 of l10', 'a 6x @3 of l3']);
    expect(dropped(test, 'joinTable', 'null-value')).toBe(1);
  });
});

describe('joinGlobalTable', () => {
  const joining =
    (kind: 'inner' | 'left'): Topology =>
    ({ stream, globalTable }) =>
      stream(left).pipe(
        joinGlobalTable(globalTable(right), (value) => (value === 'none' ? null : value), withRow, { kind: kind as 'left' }),
        to(out),
      );
  const given: Given[] = [
    ['r', 'x', '7', 50],
    ['r', null, '8', 50],
    ['l', null, 'x', 5],
    ['l', 'a', 'y', 6],
    ['l', 'a', 'none', 7],
    ['l', 'a', null, 8],
  ];

  it('inner', () => {
    const test = testTopology(joining('inner'));
    expect(outcome(test, given)).toEqual(['null x7 @5 of l5']);
    expect(['null-key', 'null-value'].map((reason) => dropped(test, 'joinGlobalTable', reason))).toEqual([1, 1]);
    expect(dropped(test, 'globalTable', 'null-key')).toBe(1);
  });

  it('left', () => {
    const test = testTopology(joining('left'));
    expect(outcome(test, given)).toEqual(['null x7 @5 of l5', 'a y- @6 of l6', 'a none- @7 of l7']);
    expect(['null-key', 'null-value'].map((reason) => dropped(test, 'joinGlobalTable', reason))).toEqual([0, 1]);
  });
});

describe('joinStream', () => {
  const pairs = joinStore('pairs', { key: maybe, left: maybe, right: maybe, windows: { before: 10, after: 10, grace: 1 } });
  const joining =
    (kind: 'inner' | 'left' | 'outer'): Topology =>
    ({ stream, store }) =>
      stream(left).pipe(joinStream(stream(right), store(pairs), both, { kind: kind as 'outer' }), to(out));
  const given: Given[] = [
    ['l', 'a', '1', 5],
    ['l', 'c', '2', 5],
    ['r', 'a', 'x', 3],
    ['r', 'b', 'y', 5],
    ['l', null, '3', 6],
    ['r', null, 'z', 6],
    ['l', 'a', null, 40],
    ['r', 'd', 'v', 40],
    ['l', 'd', '4', 29],
    ['l', 'd', '5', 28],
  ];

  it('inner', () => {
    const test = testTopology(joining('inner'));
    expect(outcome(test, given)).toEqual(['a 1x @5 of r3']);
    expect(['null-key', 'null-value', 'late'].map((reason) => dropped(test, 'joinStream', reason))).toEqual([2, 1, 1]);
  });

  it('left', () => {
    const test = testTopology(joining('left'));
    const came = outcome(test, given);
    expect(came).toEqual(['a 1x @5 of r3', 'null 3- @6 of l6', 'c 2- @5 of r40', 'd 5- @28 of l28']);
    expect(['null-key', 'null-value', 'late'].map((reason) => dropped(test, 'joinStream', reason))).toEqual([1, 1, 0]);
  });

  it('outer', () => {
    const test = testTopology(joining('outer'));
    const came = outcome(test, given);
    expect(came).toEqual(['a 1x @5 of r3', 'null 3- @6 of l6', 'null -z @6 of r6', 'b -y @5 of r40', 'c 2- @5 of r40', 'd 5- @28 of l28']);
  });

  it('gives a late record to `late`, also where it comes out alone', () => {
    const joining: Topology = ({ stream, store }) => {
      const late = new Subject<LateJoinRecord<string | null, string | null, string | null>>();
      const joined = stream(left).pipe(joinStream(stream(right), store(pairs), both, { kind: 'left', late }));
      return merge(
        joined.pipe(to(out)),
        late.pipe(
          map(({ record: each, side }) => each.withValue(`late ${side}`)),
          to(out),
        ),
      );
    };
    const test = testTopology(joining);
    const came = outcome(test, [
      ['r', 'a', 'x', 40],
      ['l', 'a', '1', 28],
      ['r', 'a', 'y', 28],
    ]);
    expect(came).toEqual(['a late left @28 of l28', 'a 1- @28 of l28', 'a late right @28 of r28']);
    expect(dropped(test, 'joinStream', 'late')).toBe(1);
  });

  it('lets a record out alone, and again with a partner that is itself in time: left ones with before > 0, right ones with after > 0', () => {
    const meeting = (before: number, after: number, given: Given[]): string[] => {
      const near = joinStore('pairs', { key: maybe, left: maybe, right: maybe, windows: { before, after } });
      const joining: Topology = ({ stream, store }) =>
        stream(left).pipe(joinStream(stream(right), store(near), both, { kind: 'outer' }), to(out));
      return outcome(testTopology(joining), given);
    };
    const ofLeft: Given[] = [
      ['l', 'a', '1', 10],
      ['r', 'a', 'w', 21],
      ['r', 'a', 'z', 17],
    ];
    expect(meeting(5, 10, ofLeft)).toEqual(['a 1- @10 of r21', 'a 1z @17 of r17']);
    expect(meeting(0, 10, ofLeft)).toEqual(['a 1- @10 of r21', 'a -z @17 of r17']);
    const ofRight: Given[] = [
      ['r', 'a', 'y', 18],
      ['l', 'b', '2', 21],
      ['l', 'a', '3', 13],
    ];
    expect(meeting(0, 10, ofRight)).toEqual(['a -y @18 of l21', 'a 3y @18 of l13']);
    expect(meeting(0, 0, ofRight)).toEqual(['a -y @18 of l21', 'a 3- @13 of l13']);
  });

  it('takes a record of a stream that is joined with itself as left and as right, late as either', () => {
    const oneSided = joinStore('pairs', { key: maybe, left: maybe, right: maybe, windows: { before: 0, after: 10 } });
    const joining: Topology = ({ stream, store }) => stream(left).pipe(joinStream(stream(left), store(oneSided), both), to(out));
    const test = testTopology(joining);
    const given: Given[] = [
      ['l', 'a', '1', 20],
      ['l', 'a', '2', 15],
    ];
    expect(outcome(test, given)).toEqual(['a 11 @20 of l20', 'a 21 @20 of l15']);
    expect(dropped(test, 'joinStream', 'late')).toBe(1);
    expect(outcome(test, [['l', 'a', '3', 9]])).toEqual([]);
    expect(dropped(test, 'joinStream', 'late')).toBe(3);
  });
});

it('joinTables: the greater time of both rows, the headers of the record that changed its side', () => {
  const joining: Topology = ({ table }) => joinTables(table(left), table(right), both, { kind: 'outer' }).changes.pipe(to(out));
  const test = testTopology(joining);
  const came = outcome(test, [
    ['l', 'a', '1', 5],
    ['r', 'a', 'x', 3],
    ['l', 'a', null, 2],
    ['r', 'a', null, 1],
    ['l', null, '2', 9],
  ]);
  expect(came).toEqual(['a 1- @5 of l5', 'a 1x @5 of r3', 'a -x @3 of l2', 'a null @1 of r1']);
  expect(dropped(test, 'table', 'null-key')).toBe(1);
});

describe('joinTablesByForeignKey', () => {
  const pairs = foreignKeyStore('pairs', { key: maybe, foreignKey: maybe });
  const joining =
    (kind: 'inner' | 'left'): Topology =>
    ({ table, store }) =>
      joinTablesByForeignKey(table(left), table(right), store(pairs), {
        foreignKey: (value) => (value === 'none' ? null : value),
        join: both,
        kind: kind as 'left',
      }).changes.pipe(to(out));
  const given: Given[] = [
    ['l', 'b', 'x', 5],
    ['l', 'a', 'x', 9],
    ['r', 'x', '1', 7],
    ['l', 'b', 'x', 6],
    ['l', 'c', 'none', 8],
    ['r', 'x', null, 4],
    ['l', 'a', null, 3],
  ];

  it('inner', () => {
    const test = testTopology(joining('inner'));
    expect(outcome(test, given)).toEqual([
      'a x1 @7 of r7',
      'b x1 @7 of r7',
      'b x1 @7 of l6',
      'a null @4 of r4',
      'b null @4 of r4',
      'a null @3 of l3',
    ]);
    expect(dropped(test, 'joinTablesByForeignKey', 'null-foreign-key')).toBe(1);
  });

  it('left', () => {
    const test = testTopology(joining('left'));
    expect(outcome(test, given)).toEqual([
      'b x- @5 of l5',
      'a x- @9 of l9',
      'a x1 @7 of r7',
      'b x1 @7 of r7',
      'b x1 @7 of l6',
      'c none- @8 of l8',
      'a x- @4 of r4',
      'b x- @4 of r4',
      'a null @3 of l3',
    ]);
    expect(dropped(test, 'joinTablesByForeignKey', 'null-foreign-key')).toBe(0);
  });
});

it('groupTable: the greater time of row and group, the headers of the row; a row without a group is in none', () => {
  const sizes = keyValueStore('sizes', { key: string, value: int64 });
  const through = internalTopic('grouped', { key: string, value: int64 });
  const grouping: Topology = ({ table, store }) =>
    groupTable(table(left), store(sizes), {
      by: (value) => [(value === 'none' ? null : value) as string, 1],
      through,
      initial: () => 0,
      add: (size, one) => size + one,
      subtract: (size, one) => (size === one ? (null as unknown as number) : size - one),
    }).changes.pipe(
      map((change) => change.withValue(change.value === null ? null : String(change.value))),
      to(out),
    );
  const came = outcome(testTopology(grouping, { partitions: 2 }), [
    ['l', 'a', 'x', 5],
    ['l', 'b', 'x', 3],
    ['l', 'a', 'none', 4],
    ['l', 'b', 'y', 1],
  ]);
  expect(came).toEqual(['x 1 @5 of l5', 'x 2 @5 of l3', 'x 1 @5 of l4', 'x null @5 of l1', 'y 1 @1 of l1']);
});

describe('a change that is skipped', () => {
  const failing = (value: string): string => {
    if (value === 'bad') throw new Error('bad');
    return value;
  };
  const skipping = (topology: Topology): string[] =>
    outcome(testTopology(topology, { onProcessingError: 'skip' }), [
      ['r', 'a', 'good', 1],
      ['r', 'a', 'bad', 2],
      ['l', 'a', '1', 3],
    ]);

  it('stays in a table that is restored from its topic', () => {
    const topology: Topology = ({ stream, table }) => {
      const rows = table(right);
      const checked = mapTable(rows, failing).changes.pipe(filter(() => false));
      return merge(stream(left).pipe(joinTable(rows, withRow), to(out)), checked.pipe(to(out)));
    };
    expect(skipping(topology)).toEqual(['a 1bad @3 of l3']);
  });

  it('leaves a table with a changelog of its own with it', () => {
    const sizes = keyValueStore('sizes', { key: string, value: int64 });
    const topology: Topology = ({ stream, table, store }) => {
      const rows = table(right);
      const grouped = groupTable(mapTable(rows, failing), store(sizes), {
        by: (value) => [value, 1],
        through: internalTopic('grouped', { key: string, value: int64 }),
        initial: () => 0,
        add: (size, one) => size + one,
        subtract: (size, one) => size - one,
      });
      const nothing = grouped.changes.pipe(
        map((change) => change.withValue('')),
        filter(() => false),
      );
      return merge(stream(left).pipe(joinTable(rows, withRow), to(out)), nothing.pipe(to(out)));
    };
    expect(skipping(topology)).toEqual(['a 1good @3 of l3']);
  });
});
