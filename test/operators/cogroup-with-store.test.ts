import { Subject } from 'rxjs';
import {
  cogroupWithStore,
  type Emit,
  grouped,
  type LateRecord,
  sessionize,
  windowEvery,
  windowSliding,
  windowTumbling,
} from '../../operators';
import { int64, string } from '../../src/codec/primitives';
import type { KafkaRecord } from '../../src/model/record';
import { sessionStore, windowStore } from '../../src/state/definition';
import { memoryStore, record } from '../../src/testing';
import { droppedRecords } from '../../src/testing/memory-store';
import { errorWith } from './errors';
import { marbles } from './marbles';
import { ScriptedRows } from './scripted-rows';
import { ScriptedScope, ScriptedStore } from './scripted-scope';
import { inWindow, numberStore, windowedNumbers, windowedStore, windows } from './stores';

type Numbers = KafkaRecord<string, number>;

const plus = (sum: number, value: number): number => sum + value;
const minus = (sum: number, value: number): number => sum - value;
const initial = (): number => 0;

/** A left and a right stream in windows, over the store given. */
class Sides {
  readonly left = new Subject<Numbers>();
  readonly right = new Subject<Numbers>();
  readonly emitted: string[] = [];
  readonly late: number[] = [];
  private readonly subscription;

  constructor(
    store: ReturnType<typeof windowedStore>,
    emit: 'update' | 'change' | 'close' = 'update',
    window = windowTumbling<string, number>(windows),
  ) {
    const late = { next: ({ record }: LateRecord<string, unknown>) => this.late.push(record.timestamp) };
    const of = [grouped(this.left.pipe(window), plus), grouped(this.right.pipe(window), minus)];
    this.subscription = cogroupWithStore(store, { initial, of, emit, late }).subscribe(({ key, value }) =>
      this.emitted.push(`${key.key}@${key.start}=${value}`),
    );
  }

  stop(): void {
    this.subscription.unsubscribe();
  }
}

describe('cogroupWithStore over a key-value store', () => {
  it('adds the values of all streams to one aggregate, with the greatest of their timestamps', () => {
    marbles(({ cold, expectObservable, expectSubscriptions }) => {
      const left = cold(' -a---c-|', { a: record('k', 5, 1), c: record('k', 10, 3) });
      const right = cold('---b-----|', { b: record('k', 2, 9) });
      const out = '       -x-y-z---|';
      const of = [grouped(left, plus), grouped(right, minus)];
      expectObservable(cogroupWithStore(numberStore(), { initial: () => 100, of })).toBe(out, {
        x: record('k', 105, 1),
        y: record('k', 103, 9),
        z: record('k', 113, 9),
      });
      expectSubscriptions(left.subscriptions).toBe(' ^------!');
      expectSubscriptions(right.subscriptions).toBe('^--------!');
    });
  });

  it('drops null keys and null values of every stream, and counts them', () => {
    const store = numberStore();
    marbles(({ cold, expectObservable }) => {
      const left = cold<Numbers>(' -a-|', { a: record('k', null as unknown as number, 1) });
      const right = cold<Numbers>('-b-|', { b: record(null as unknown as string, 1, 1) });
      expectObservable(cogroupWithStore(store, { initial, of: [grouped(left, plus), grouped(right, minus)] })).toBe('---|');
    });
    expect(droppedRecords(store)).toBe(2);
  });

  it('ends with the error of any of them, and leaves the others', () => {
    marbles(({ cold, expectObservable, expectSubscriptions }) => {
      const left = cold<Numbers>(' -a---', { a: record('k', 5, 1) });
      const right = cold<Numbers>('---#');
      expectObservable(cogroupWithStore(numberStore(), { initial, of: [grouped(left, plus), grouped(right, minus)] })).toBe('-x-#', {
        x: record('k', 5, 1),
      });
      expectSubscriptions(left.subscriptions).toBe('^--!');
    });
  });

  it('ends with PROCESSING when a function throws', () => {
    const cause = new Error('no number');
    marbles(({ cold, expectObservable }) => {
      const throwing = grouped(cold<Numbers>('-a-', { a: record('k', 5, 1) }), (): number => {
        throw cause;
      });
      expectObservable(cogroupWithStore(numberStore(), { initial, of: [throwing] })).toBe(
        '-#',
        {},
        errorWith({ code: 'PROCESSING', cause, where: { operator: 'cogroupWithStore' } }),
      );
    });
  });

  it('frees the store when it is unsubscribed, not before', () => {
    const store = numberStore();
    const source = new Subject<Numbers>();
    const together = cogroupWithStore(store, { initial, of: [grouped(source, plus), grouped(source, plus)] });
    const subscription = together.subscribe();
    together.subscribe({ error: (error: unknown) => expect(error).toEqual(errorWith({ code: 'STORE_IN_USE', message: /share\(\)/ })) });
    subscription.unsubscribe();
    expect(source.observed).toBe(false);
    const seen: number[] = [];
    together.subscribe(({ value }) => seen.push(value));
    source.next(record('k', 1, 1));
    expect(seen).toEqual([1, 2]);
  });

  it('refuses to be told of no streams', () => {
    expect(() => cogroupWithStore(numberStore(), { initial, of: [] })).toThrow(
      errorWith({ code: 'CONFIG', where: { operator: 'cogroupWithStore', store: 'numbers', option: 'of' } }),
    );
  });
});

describe('cogroupWithStore over a window store', () => {
  it('keeps an aggregate for each key and window; null values count', () => {
    marbles(({ cold, expectObservable }) => {
      const left = cold<Numbers>(' -a---c-|', { a: record('k', 5, 8), c: record('k', null as unknown as number, 3) });
      const right = cold<Numbers>('---b---|', { b: record('k', 2, 12) });
      const of = [grouped(left.pipe(windowTumbling(windows)), plus), grouped(right.pipe(windowTumbling(windows)), minus)];
      expectObservable(cogroupWithStore(windowedStore(), { initial, of })).toBe('-x-y-z-|', {
        x: inWindow('k', 0, 5, 8),
        y: inWindow('k', 10, -2, 12),
        z: inWindow('k', 0, 5, 8),
      });
    });
  });

  it('lets a record be late by what its own stream has seen', () => {
    const store = windowedStore();
    const { left, right, late, emitted } = new Sides(store);
    left.next(record('k', 1, 100));
    left.next(record('k', 1, 1));
    right.next(record('k', 2, 2));
    expect(late).toEqual([1]);
    expect(emitted).toEqual(['k@100=1', 'k@0=-2']);
    expect(droppedRecords(store)).toBe(1);
  });

  it('adds to a window that is open for its stream, though the others have put it out of sight', () => {
    const store = windowedStore();
    const { left, right, emitted } = new Sides(store);
    left.next(record('k', 1, 1));
    right.next(record('k', 2, 1));
    right.next(record('m', 2, 30));
    // By retention the window at 0 is hidden now; Kafka Streams would start it afresh.
    left.next(record('k', 4, 3));
    expect(emitted).toEqual(['k@0=1', 'k@0=-1', 'm@30=-2', 'k@0=3']);
  });

  it.each(['update', 'close'] as const)('removes a window when all streams have passed it, not before: emit %s', (emit) => {
    const rows = new ScriptedStore(windowedNumbers);
    const scope = new ScriptedScope();
    const { left, right } = new Sides(rows.under(scope), emit);
    const push = (side: Subject<Numbers>, timestamp: number): void => {
      side.next(record('k', 1, timestamp));
      scope.runSteps();
    };
    push(left, 1);
    push(left, 200);
    push(right, 14);
    expect(rows.starts).toEqual([0, 10, 200]);
    push(right, 15);
    expect(rows.starts).toEqual([10, 200]);
    push(right, 100);
    expect(rows.starts).toEqual([100, 200]);
  });

  it('closes a window when the stream that is furthest behind has passed it', () => {
    const { left, right, emitted } = new Sides(windowedStore(), 'close');
    left.next(record('k', 5, 1));
    left.next(record('k', 5, 100));
    right.next(record('k', 2, 14));
    expect(emitted).toEqual([]);
    right.next(record('k', 1, 15));
    expect(emitted).toEqual(['k@0=5']);
    right.next(record('k', 1, 40));
    expect(emitted).toEqual(['k@0=5', 'k@10=-3']);
  });

  it('emits only what changes the value on change', () => {
    const { left, right, emitted } = new Sides(windowedStore(), 'change');
    left.next(record('k', 5, 1));
    right.next(record('k', 0, 1));
    right.next(record('k', 5, 1));
    expect(emitted).toEqual(['k@0=5', 'k@0=0']);
  });

  it('keeps a clock for each stream by its position: what was late before a restart is late after it', () => {
    const rows = new ScriptedStore(windowedNumbers);
    const before = new ScriptedScope();
    const first = new Sides(rows.under(before));
    first.left.next(record('k', 1, 100));
    first.right.next(record('k', 1, 30));
    first.stop();
    const after = new ScriptedScope(before.cells);
    const second = new Sides(rows.under(after));
    second.left.next(record('k', 1, 40));
    second.right.next(record('k', 1, 25));
    second.right.next(record('k', 1, 14));
    expect(second.late).toEqual([40, 14]);
    const cells = [...after.cells].filter(([id]) => id.includes('streamTime')).map(([id, { value }]) => [id, value]);
    expect(cells).toEqual([
      ['windowed-numbers streamTime0', 100],
      ['windowed-numbers streamTime1', 30],
    ]);
  });

  it('refuses streams in other windows than the store was declared for, at assembly', () => {
    const other = new Subject<Numbers>().pipe(windowTumbling({ size: 20 }));
    const mine = new Subject<Numbers>().pipe(windowTumbling(windows));
    expect(() => cogroupWithStore(windowedStore(), { initial, of: [grouped(mine, plus), grouped(other, plus)] })).toThrow(
      errorWith({ code: 'STORE_WINDOWS', where: { operator: 'cogroupWithStore', store: 'windowed-numbers' } }),
    );
  });

  it("refuses emit 'close' over windows that never do", () => {
    const forever = { size: Infinity };
    const store = memoryStore(windowStore('forever', { key: string, value: int64, windows: forever }));
    const of = [grouped(new Subject<Numbers>().pipe(windowTumbling(forever)), plus)];
    expect(() => cogroupWithStore(store, { initial, of, emit: 'close' })).toThrow(
      errorWith({ code: 'CONFIG', where: { operator: 'cogroupWithStore', option: 'emit' } }),
    );
  });
});

const visit = { gap: 5, grace: 10 };
const visits = sessionStore('visits', { key: string, value: int64, windows: visit });

/** A left and a right stream in sessions. */
class Visits {
  readonly left = new Subject<Numbers>();
  readonly right = new Subject<Numbers>();
  readonly late: string[] = [];
  emitted: string[] = [];
  private readonly subscription;

  constructor(emit: Emit = 'update', store = memoryStore(visits)) {
    const late = {
      next: ({ record: { timestamp }, streamTime }: LateRecord<string, unknown>) => this.late.push(`${timestamp} at ${streamTime}`),
    };
    const of = [grouped(this.left.pipe(sessionize(visit)), plus), grouped(this.right.pipe(sessionize(visit)), minus)];
    this.subscription = cogroupWithStore(store, { initial, merge: plus, of, emit, late }).subscribe(({ key, value }) =>
      this.emitted.push(`${key.key}@${key.start}-${key.end}=${value}`),
    );
  }

  stop(): void {
    this.subscription.unsubscribe();
  }
}

describe('cogroupWithStore over a session store', () => {
  it('lets records of all streams join the same sessions, and takes back what has grown', () => {
    const { left, right, emitted } = new Visits();
    left.next(record('k', 5, 1));
    right.next(record('k', 2, 11));
    left.next(record('k', 1, 6));
    expect(emitted).toEqual(['k@1-1=5', 'k@11-11=-2', 'k@1-1=null', 'k@11-11=null', 'k@1-11=4']);
  });

  it('goes by the stream time of its own stream for each record', () => {
    const { left, right, emitted, late } = new Visits();
    left.next(record('k', 1, 100));
    right.next(record('k', 1, 3));
    left.next(record('k', 1, 50));
    right.next(record('k', 1, 30));
    expect(emitted).toEqual(['k@100-100=1', 'k@3-3=-1', 'k@30-30=-1']);
    expect(late).toEqual(['50 at 100']);
  });

  it('closes a session when the stream that is furthest behind has passed it', () => {
    const { left, right, emitted } = new Visits('close');
    left.next(record('k', 5, 1));
    left.next(record('k', 5, 100));
    right.next(record('k', 2, 16));
    expect(emitted).toEqual([]);
    right.next(record('m', 1, 17));
    expect(emitted).toEqual(['k@1-1=5']);
  });

  it('removes a session when all streams have passed it, not before', async () => {
    const rows = new ScriptedRows(visits);
    const scope = new ScriptedScope();
    const { left, right } = new Visits('update', rows.under(scope));
    const push = (side: Subject<Numbers>, timestamp: number): void => {
      side.next(record('k', 1, timestamp));
      scope.runSteps();
    };
    push(left, 1);
    push(left, 200);
    push(right, 16);
    expect(await rows.bounds()).toEqual(['k@1-1', 'k@16-16', 'k@200-200']);
    push(right, 17);
    expect(await rows.bounds()).toEqual(['k@16-17', 'k@200-200']);
  });

  it('keeps a clock for each stream by its position: what was late before a restart is late after it', () => {
    const rows = new ScriptedRows(visits);
    const before = new ScriptedScope();
    const first = new Visits('update', rows.under(before));
    first.left.next(record('k', 1, 100));
    first.right.next(record('k', 1, 30));
    first.stop();
    const second = new Visits('update', rows.under(new ScriptedScope(before.cells)));
    second.left.next(record('k', 1, 84));
    second.right.next(record('m', 1, 15));
    second.right.next(record('n', 1, 14));
    expect(second.late).toEqual(['84 at 100', '14 at 30']);
  });

  it('needs merge', () => {
    const of = [grouped(new Subject<Numbers>().pipe(sessionize(visit)), plus)];
    // @ts-expect-error no merge
    expect(() => cogroupWithStore(memoryStore(visits), { initial, of })).toThrow(
      errorWith({ code: 'CONFIG', where: { operator: 'cogroupWithStore', store: 'visits', option: 'merge' } }),
    );
  });
});

describe('cogroupWithStore over windows that records make', () => {
  it('lets records of all streams make sliding windows, each late by its own stream', () => {
    const sliding = { difference: 10, grace: 5 };
    const store = memoryStore(windowStore('sliding', { key: string, value: int64, windows: sliding }));
    const [left, right] = [new Subject<Numbers>(), new Subject<Numbers>()];
    const emitted: string[] = [];
    const late: number[] = [];
    cogroupWithStore(store, {
      initial,
      of: [grouped(left.pipe(windowSliding(sliding)), plus), grouped(right.pipe(windowSliding(sliding)), minus)],
      late: { next: ({ record }) => late.push(record.timestamp) },
    }).subscribe(({ key: { start, end }, value }) => emitted.push(`${start}-${end}=${value}`));
    left.next(record('k', 5, 20));
    right.next(record('k', 2, 25));
    left.next(record('x', 1, 100));
    left.next(record('k', 1, 25));
    right.next(record('k', 1, 31));
    expect(emitted).toEqual(['10-20=5', '21-31=-2', '15-25=3', '90-100=1', '21-31=-3', '26-36=-1']);
    expect(late).toEqual([25]);
  });

  it('counts the records of all streams in windows of n', () => {
    const pairs = { records: 2 };
    const store = memoryStore(windowStore('pairs', { key: string, value: int64, windows: pairs }));
    const [left, right] = [new Subject<Numbers>(), new Subject<Numbers>()];
    const emitted: string[] = [];
    cogroupWithStore(store, {
      initial,
      of: [grouped(left.pipe(windowEvery(pairs)), plus), grouped(right.pipe(windowEvery(pairs)), minus)],
      emit: 'close',
    }).subscribe(({ key: { start, end }, value }) => emitted.push(`${start}-${end}=${value}`));
    left.next(record('k', 5, 1));
    right.next(record('k', 2, 2));
    right.next(record('k', 3, 3));
    left.next(record('k', 10, 4));
    expect(emitted).toEqual(['0-2=3', '2-4=7']);
  });
});
