import { map, NEVER, of, Subject } from 'rxjs';
import { joinStream, type JoinKind } from '../../operators';
import { nullable } from '../../src/codec/nullable';
import { string } from '../../src/codec/primitives';
import { noOrigin } from '../../src/model/origin';
import { KafkaRecord } from '../../src/model/record';
import { joinStore } from '../../src/state/join-definition';
import { memoryStore, record } from '../../src/testing';
import { droppedRecords } from '../../src/testing/memory-store';
import { errorWith } from './errors';
import { joined, pair, type Text } from './joined';
import { marbles } from './marbles';
import { numberStore } from './stores';

const windows = { before: 5, after: 10 };
const pairs = joinStore('pairs', { key: string, left: string, right: string, windows });
const patient = joinStore('patient', { key: string, left: string, right: string, windows: { ...windows, grace: 100 } });
const anonymous = joinStore('anonymous', { key: nullable(string), left: nullable(string), right: nullable(string), windows });

const at = (timestamp: number, value = String(timestamp), key = 'k'): Text => record(key, value, timestamp);
const outputs = (arriving: Parameters<typeof joined>[1], kind: JoinKind = 'inner', definition = patient): string[] =>
  joined(memoryStore(definition), arriving, { kind }).lines;

describe('joinStream', () => {
  it('joins what lies close enough in event time, whichever comes first, at the greater time', () => {
    marbles(({ hot, expectObservable }) => {
      const left = hot(' -a-----b----|', { a: at(20, 'a'), b: at(30, 'b') });
      const right = hot('---x-y--|     ', { x: at(30, 'x'), y: at(31, 'y') });
      expectObservable(left.pipe(joinStream(right, memoryStore(pairs), pair))).toBe('---p---(qr)-|', {
        p: record('k', 'a x', 30),
        q: record('k', 'b x', 30),
        r: record('k', 'b y', 31),
      });
    });
  });

  it('ends with an error of either side, and lets go of the other', () => {
    marbles(({ hot, cold, expectObservable, expectSubscriptions }) => {
      const [left, right] = [hot<Text>('----'), cold<Text>('--#')];
      expectObservable(left.pipe(joinStream(right, memoryStore(pairs), pair))).toBe('--#');
      expectSubscriptions(left.subscriptions).toBe('^-!');
    });
  });

  it('lets go of both sides and of its store when nobody listens any more', () => {
    const store = memoryStore(pairs);
    const [left, right] = [new Subject<Text>(), new Subject<Text>()];
    const join = left.pipe(joinStream(right, store, pair));
    const subscription = join.subscribe();
    expect([left.observed, right.observed]).toEqual([true, true]);
    subscription.unsubscribe();
    expect([left.observed, right.observed]).toEqual([false, false]);
    expect(() => join.subscribe()).not.toThrow();
  });

  it('is refused a store that another operator holds', () => {
    const store = memoryStore(pairs);
    let found: unknown;
    of<Text>()
      .pipe(joinStream(NEVER, store, pair))
      .subscribe();
    of<Text>()
      .pipe(joinStream(NEVER, store, pair))
      .subscribe({ error: (error: unknown) => (found = error) });
    expect(found).toMatchObject({ code: 'STORE_IN_USE' });
  });

  it('joins both ends of the window and nothing beyond', () => {
    const right = [14, 15, 30, 31].map((time) => ({ right: at(time) }));
    expect(outputs([{ left: at(20) }, ...right])).toEqual(['2: k 20 15 at 20', '3: k 20 30 at 30']);
    const left = [19, 20, 35, 36].map((time) => ({ left: at(time) }));
    expect(outputs([{ right: at(30) }, ...left])).toEqual(['2: k 20 30 at 30', '3: k 35 30 at 35']);
  });

  it('gives the matches of a record by time, then in the order in which they came; each of one time is its own', () => {
    const right = ['12 p', '8 q', '12 r', '8 s'].map((text) => ({ right: at(Number(text.split(' ')[0]), text.split(' ')[1]) }));
    expect(outputs([...right, { left: at(10, 'a') }, { left: at(10, 'b') }])).toEqual(
      ['4: k a', '5: k b'].flatMap((one) => [`${one} q at 10`, `${one} s at 10`, `${one} p at 12`, `${one} r at 12`]),
    );
  });

  it('W17: joins by key and time, never by arrival', () => {
    const left = [at(10, 'a', 'x'), at(20, 'b', 'y'), at(30, 'c', 'z')];
    const right = [at(31, 'C', 'z'), at(11, 'A', 'x'), at(21, 'B', 'y'), at(11, 'N', 'y')];
    const expected = ['x a A at 11', 'y b B at 21', 'z c C at 31'];
    const all = [...left.map((record) => ({ left: record })), ...right.map((record) => ({ right: record }))];
    const orders = [all, all.slice().reverse(), [4, 0, 6, 2, 1, 5, 3].map((index) => all[index]!)];
    for (const order of orders) {
      const lines = outputs(order).map((line) => line.slice(line.indexOf(' ') + 1));
      expect(lines.sort()).toEqual(expected);
    }
  });

  it('joins only later partners with a negative before, though all of them are past its window', () => {
    const definition = joinStore('later', { key: string, left: string, right: string, windows: { before: -5, after: 20 } });
    const right = [14, 15, 30, 31].map((time) => ({ right: at(time) }));
    expect(outputs([{ left: at(10) }, ...right], 'inner', definition)).toEqual(['2: k 10 15 at 15', '3: k 10 30 at 30']);
  });

  it('joins nothing but equal times when before and after are 0', () => {
    const definition = joinStore('same', { key: string, left: string, right: string, windows: { before: 0, after: 0 } });
    expect(outputs([{ left: at(5) }, { right: at(5) }, { right: at(6) }, { left: at(6) }], 'inner', definition)).toEqual([
      '1: k 5 5 at 5',
      '3: k 6 6 at 6',
    ]);
  });

  it('carries the headers of the record that made the result', () => {
    const headed = (value: string, timestamp: number): Text =>
      KafkaRecord.of('k', value, timestamp, { ...noOrigin, headers: new Map([['from', Buffer.from(value)]]) });
    const found: string[] = [];
    const [left, right] = [new Subject<Text>(), new Subject<Text>()];
    left
      .pipe(joinStream(right, memoryStore(pairs), pair))
      .subscribe(({ value, headers }) => found.push(`${value}: ${String(headers.get('from'))}`));
    left.next(headed('a', 10));
    right.next(headed('x', 11));
    left.next(headed('b', 12));
    expect(found).toEqual(['a x: x', 'b x: b']);
  });

  it('ends with PROCESSING when join throws, and names itself', () => {
    let found: unknown;
    const failing = (): string => {
      throw new Error('this pair');
    };
    of(at(1))
      .pipe(joinStream(of(at(1)), memoryStore(pairs), failing))
      .subscribe({ error: (error: unknown) => (found = error) });
    expect(found).toEqual(errorWith({ code: 'PROCESSING', message: 'joinStream: this pair', where: { operator: 'joinStream' } }));
  });

  it.each([-1, 0.5, NaN, Infinity, 2 ** 53])('ends with INVALID_TIMESTAMP at the timestamp %d, of either side', (timestamp) => {
    for (const input of [{ left: at(timestamp) }, { right: at(timestamp) }]) {
      const { error } = joined(memoryStore(pairs), [input]);
      expect(error).toMatchObject({ code: 'INVALID_TIMESTAMP', where: { operator: 'joinStream' } });
    }
  });

  it('refuses another kind of store, and options it does not know', () => {
    expect(() => joinStream(NEVER, numberStore() as never, pair)).toThrow(
      errorWith({ code: 'CONFIG', message: 'is the key-value store numbers; declare a joinStore' }),
    );
    expect(() => joinStream(NEVER, {} as never, pair)).toThrow(errorWith({ code: 'CONFIG', message: 'this is no store' }));
    expect(() => joinStream(NEVER, memoryStore(pairs), pair, { kind: 'right' as 'inner' })).toThrow(
      errorWith({ code: 'CONFIG', message: 'the option kind is right; it must be one of inner, left, outer' }),
    );
    expect(() => joinStream(NEVER, memoryStore(pairs), pair, { lateRecords: 'drop' as 'join' })).toThrow(
      errorWith({ code: 'CONFIG', message: 'the option lateRecords is drop' }),
    );
  });
});

describe('a record that has met nobody', () => {
  it('comes out alone once event time is greater than its time + after + grace, with its own time', () => {
    const arriving = [{ left: at(10, 'a') }, { right: at(20, 'x', 'other') }, { right: at(21, 'y', 'other') }];
    expect(outputs(arriving, 'left', pairs)).toEqual(['2: k a - at 10']);
    const longer = [{ left: at(10, 'a') }, { right: at(120, 'x', 'other') }, { right: at(121, 'y', 'other') }];
    expect(outputs(longer, 'left', patient)).toEqual(['2: k a - at 10']);
  });

  it('of the right side waits for before, in an outer join alone', () => {
    const arriving = [{ right: at(10, 'x') }, { left: at(15, 'a', 'o') }, { left: at(16, 'b', 'o') }, { right: at(17, 'y', 'o') }];
    expect(outputs(arriving, 'outer', pairs)).toEqual(['2: k - x at 10', '3: o a y at 17', '3: o b y at 17']);
    expect(outputs(arriving, 'left', pairs)).toEqual(['3: o a y at 17', '3: o b y at 17']);
    expect(outputs(arriving, 'inner', pairs)).toEqual(['3: o a y at 17', '3: o b y at 17']);
  });

  it('comes before the matches of the record that let it out, by time, right before left, key bytes, arrival', () => {
    const texts = ['left b 10', 'right c 10', 'left a 10', 'right a2 10', 'left a 10', 'left x 8', 'right y 9', 'left é 9', 'left 😀 9'];
    const arriving = texts.map((text) => {
      const [side, key, time] = text.split(' ') as [string, string, string];
      return { [side]: at(Number(time), text, key) };
    });
    const last = [{ left: at(100, 'L', 'z') }, { right: at(100, 'R', 'z') }];
    const lines = outputs([...arriving, ...last], 'outer', pairs);
    expect(lines.map((line) => line.replace(/ at.*/, ''))).toEqual([
      ...['x left x 8 -', 'y - right y 9', 'é left é 9 -', '😀 left 😀 9 -', 'a2 - right a2 10', 'c - right c 10'].map(
        (line) => `9: ${line}`,
      ),
      ...['a left a 10 -', 'a left a 10 -', 'b left b 10 -'].map((line) => `9: ${line}`),
      '10: z L R',
    ]);
  });

  it('comes out no more when a partner has come, nor do those of its key and time', () => {
    const arriving = [{ left: at(10, 'a') }, { left: at(10, 'b') }, { right: at(12, 'x') }, { left: at(500, 'z', 'z') }];
    expect(outputs(arriving, 'outer', patient)).toEqual(['2: k a x at 12', '2: k b x at 12']);
  });

  it('W13: that came out of order, but within the grace, has one match and no null', () => {
    const definition = joinStore('w13', { key: string, left: string, right: string, windows: { before: 10, after: 10, grace: 50 } });
    const arriving = [{ left: at(30, 'later', 'o') }, { left: at(15, 'a') }, { right: at(16, 'x') }, { right: at(500, 'z', 'z') }];
    expect(outputs(arriving, 'left', definition)).toEqual(['2: k a x at 16', '3: o later - at 30']);
    const mirrored = arriving.map(({ left, right }) => ({ left: right, right: left })) as typeof arriving;
    expect(outputs(mirrored, 'outer', definition)).toEqual(['2: k x a at 16', '3: o - later at 30']);
  });

  it('is let out by no record without key or value, and by none that is out of order', () => {
    const nobody = null as unknown as string;
    const arriving = [
      { left: at(10, 'a') },
      { left: at(50, 'b', nobody) },
      { right: at(60, nobody, 'o') },
      { right: at(59, 'x', 'o') },
      { right: at(60, 'y', 'o') },
    ];
    expect(outputs(arriving, 'left', anonymous as unknown as typeof pairs)).toEqual(['1: null b - at 50', '4: k a - at 10']);
  });
});

describe('what a join drops', () => {
  const nobody = null as unknown as string;
  const nulls = [
    { left: at(10, 'a', nobody) },
    { left: at(10, nobody) },
    { right: at(10, 'x', nobody) },
    { right: at(10, nobody) },
    { right: at(10, nobody, nobody) },
  ];

  it.each<[JoinKind, string[], number]>([
    ['inner', [], 5],
    ['left', ['0: null a - at 10'], 4],
    ['outer', ['0: null a - at 10', '2: null - x at 10'], 3],
  ])('is counted: null values, and null keys unless their side comes out alone: they do at once (%s)', (kind, lines, dropped) => {
    const store = memoryStore(anonymous) as never;
    expect(joined(store, nulls, { kind }).lines).toEqual(lines);
    expect(droppedRecords(store)).toBe(dropped);
  });
});

describe('a stream joined with itself', () => {
  const records = [at(10, '1'), at(15, '2'), at(25, '3'), at(25, '4', 'o')];
  const expected = ['1 1', '2 1', '1 2', '2 2', '3 2', '2 3', '3 3', '4 4'];
  const definition = joinStore('self', { key: string, left: string, right: string, windows: { before: 10, after: 10 } });

  it('is subscribed once; each record meets earlier ones and itself', () => {
    marbles(({ cold, expectObservable, expectSubscriptions }) => {
      const [a, b, c, d] = records as [Text, Text, Text, Text];
      const source = cold('-a-b------c------d-----|', { a, b, c, d });
      const result = (value: string, timestamp: number, key = 'k'): Text => record(key, value, timestamp);
      const values = {
        p: result('1 1', 10),
        q: result('2 1', 15),
        r: result('1 2', 15),
        s: result('2 2', 15),
        t: result('3 2', 25),
        u: result('2 3', 25),
        v: result('3 3', 25),
        w: result('4 4', 25, 'o'),
      };
      expectObservable(source.pipe(joinStream(source, memoryStore(definition), pair))).toBe('-p-(qrs)--(tuv)--w-----|', values);
      expectSubscriptions(source.subscriptions).toBe('^----------------------!');
    });
  });

  it('as two sources gives the same', () => {
    const source = new Subject<Text>();
    const found: string[] = [];
    const other = source.pipe(map((one) => one));
    source.pipe(joinStream(other, memoryStore(definition), pair)).subscribe(({ value }) => found.push(value));
    for (const one of records) source.next(one);
    expect(found).toEqual(expected);
  });

  it('counts a record that it drops once', () => {
    const store = memoryStore(anonymous);
    const source = of(record('k', null, 1), record(null, 'v', 1));
    source.pipe(joinStream(source, store, (left, right) => `${left} ${right}`)).subscribe();
    expect(droppedRecords(store)).toBe(2);
  });
});

describe('an output of a join that comes back as an input', () => {
  it('is joined after the record that made it, which lies in the store already', () => {
    const [left, right] = [new Subject<Text>(), new Subject<Text>()];
    const found: string[] = [];
    left.pipe(joinStream(right, memoryStore(pairs), pair)).subscribe(({ value }) => {
      found.push(value);
      if (found.length < 3) right.next(at(11, `back${found.length}`));
    });
    left.next(at(10, 'a'));
    right.next(at(10, 'x'));
    expect(found).toEqual(['a x', 'a back1', 'a back2']);
  });
});
