/** What a join leaves to do: closed rows before the record that closed them, and rows that nobody needs. */
import { Subject, type Subscription, take } from 'rxjs';
import { joinStream, type JoinKind } from '../../operators';
import { string } from '../../src/codec/primitives';
import { joinStore } from '../../src/state/join-definition';
import { record } from '../../src/testing';
import { pair, type Text } from './joined';
import { ScriptedJoin } from './scripted-join';
import { ScriptedScope } from './scripted-scope';

const definition = joinStore('pairs', { key: string, left: string, right: string, windows: { before: 5, after: 5 } });
const at = (timestamp: number, value = String(timestamp), key = 'k'): Text => record(key, value, timestamp);

class Run {
  readonly left = new Subject<Text>();
  readonly right = new Subject<Text>();
  readonly lines: string[] = [];
  readonly subscription: Subscription;
  completed = false;
  error: unknown;

  constructor(
    readonly scope = new ScriptedScope(),
    readonly store = new ScriptedJoin(definition),
    kind: JoinKind = 'left',
    join = pair,
  ) {
    const joining = joinStream(this.right, store.under(scope), join, { kind: kind as 'outer' });
    this.subscription = this.left.pipe(joining).subscribe({
      next: ({ key, value, timestamp }) => this.lines.push(`${key} ${value} at ${timestamp}`),
      complete: () => (this.completed = true),
      error: (error: unknown) => (this.error = error),
    });
  }

  /** The next assembly, in a scope that has the cells of this one. */
  restarted(store: ScriptedJoin, kind: JoinKind = 'left'): Run {
    this.subscription.unsubscribe();
    return new Run(new ScriptedScope(this.scope.cells), store, kind);
  }
}

const keys = (count: number): string[] => Array.from({ length: count }, (_, index) => `k${String(index).padStart(4, '0')}`);

describe('a join', () => {
  it('leaves nothing to do while nothing closes', () => {
    const run = new Run();
    run.left.next(at(10));
    run.right.next(at(12));
    expect([run.scope.waiting, run.scope.held]).toEqual([0, 0]);
    expect(run.lines).toEqual(['k 10 12 at 12']);
  });

  it('keeps a record back, and the boundary, until what it has closed is out', () => {
    const run = new Run();
    for (const key of keys(300)) run.left.next(at(10, 'a', key));
    run.right.next(at(20, 'z', 'z'));
    run.left.next(at(20, 'Z', 'z'));
    expect([run.scope.waiting, run.scope.held]).toEqual([1, 1]);
    expect(run.lines).toEqual([]);
    expect(run.scope.runStep()).toBe(false);
    expect(run.lines.length).toBeGreaterThan(0);
    expect(run.lines.length).toBeLessThan(300);
    expect(run.scope.held).toBe(1);
    run.scope.runSteps();
    expect(run.lines).toEqual([...keys(300).map((key) => `${key} a - at 10`), 'z Z z at 20']);
    expect(run.scope.held).toBe(0);
  });

  it('opens an emission for each record that comes out alone, by which it can be poisoned alone', () => {
    const scope = new ScriptedScope();
    scope.poisoned.add('unmatched pairs 10 left 1 b');
    const run = new Run(scope);
    for (const [key, value] of ['ax', 'bp', 'bq', 'cy'].map((text) => [...text] as [string, string])) run.left.next(at(10, value, key));
    run.left.next(at(16, 'z', 'z'));
    scope.runSteps();
    expect(run.lines).toEqual(['a x - at 10', 'b p - at 10', 'c y - at 10']);
    expect(scope.emissions).toEqual([
      ...['unmatched pairs 10 left 0 a', 'end', 'unmatched pairs 10 left 0 b', 'end', 'unmatched pairs 10 left 0 c', 'end'],
    ]);
    expect(run.store.rows()).not.toContain('b left q@10 waits');
  });

  it('names the emission that threw, and leaves it due for the replay', () => {
    const failing = (left?: string, right?: string): string => {
      if (left === 'p') throw new Error('this one');
      return pair(left, right);
    };
    const store = new ScriptedJoin(definition);
    const run = new Run(new ScriptedScope(), store, 'left', failing);
    for (const [key, value] of ['ax', 'bp', 'cy'].map((text) => [...text] as [string, string])) run.left.next(at(10, value, key));
    store.checkpoint();
    run.left.next(at(16, 'z', 'z'));
    void run.scope.runStep();
    expect(run.error).toMatchObject({ code: 'PROCESSING', message: expect.stringContaining('this one') as string });
    expect(run.scope.emissions.at(-1)).toBe('unmatched pairs 10 left 0 b');
    store.rollback();
    const scope = new ScriptedScope();
    scope.poisoned.add('unmatched pairs 10 left 0 b');
    const again = new Run(scope, store, 'left', failing);
    again.left.next(at(16, 'z', 'z'));
    scope.runSteps();
    expect(again.lines).toEqual(['a x - at 10', 'c y - at 10']);
  });

  it('goes on behind the last record that came out when another takes over, and not before event time closes them again', () => {
    const store = new ScriptedJoin(definition);
    const first = new Run(new ScriptedScope(), store);
    for (const key of keys(300)) first.left.next(at(10, 'a', key));
    first.left.next(at(20, 'z', 'z'));
    void first.scope.runStep();
    // What was kept back is lost with its push; what has come out, and event time, are as a commit would have them.
    const done = first.lines.length;
    const second = first.restarted(store);
    expect(second.scope.waiting).toBe(1);
    second.scope.runSteps();
    expect(second.lines).toEqual(
      keys(300)
        .slice(done)
        .map((key) => `${key} a - at 10`),
    );
  });

  it('that was closed by nothing yet closes nothing at a restart', () => {
    const store = new ScriptedJoin(definition);
    const first = new Run(new ScriptedScope(), store);
    first.left.next(at(10, 'a'));
    first.left.next(at(50, null as unknown as string));
    const second = first.restarted(store);
    expect(second.scope.waiting).toBe(0);
    second.right.next(at(50, 'z', 'z'));
    second.scope.runSteps();
    expect(second.lines).toEqual(['k a - at 10']);
  });

  it('completes behind what it has kept back', () => {
    const run = new Run();
    run.left.next(at(10, 'a'));
    run.left.next(at(20, 'b', 'b'));
    run.right.next(at(20, 'x', 'b'));
    run.left.complete();
    run.right.complete();
    expect(run.completed).toBe(false);
    run.scope.runSteps();
    expect(run.lines).toEqual(['k a - at 10', 'b b x at 20']);
    expect(run.completed).toBe(true);
  });

  it('holds no boundary when nobody listens any more', () => {
    const [left, right] = [new Subject<Text>(), new Subject<Text>()];
    const [scope, store] = [new ScriptedScope(), new ScriptedJoin(definition)];
    const lines: string[] = [];
    left.pipe(joinStream(right, store.under(scope), pair, { kind: 'left' }), take(1)).subscribe(({ value }) => lines.push(value));
    left.next(at(10, 'a'));
    left.next(at(11, 'b'));
    left.next(at(30, 'c'));
    expect(scope.held).toBe(1);
    scope.runSteps();
    expect(scope.held).toBe(0);
    expect(lines).toEqual(['a -']);
  });
});

describe('rows of a join', () => {
  const kept = (kind: JoinKind, arriving: readonly { left?: Text; right?: Text }[]): string[] => {
    const run = new Run(new ScriptedScope(), new ScriptedJoin(definition), kind);
    for (const { left, right } of arriving) {
      if (left !== undefined) run.left.next(left);
      if (right !== undefined) run.right.next(right);
      run.scope.runSteps();
    }
    return run.store.rows();
  };

  it('go once no record in time can meet them: event time is further on than before + after + grace', () => {
    const arriving = [{ left: at(10) }, { right: at(11) }, { left: at(12) }];
    expect(kept('inner', [...arriving, { right: at(20, 'o', 'o') }])).toEqual([
      'k left 10@10',
      'k right 11@11',
      'k left 12@12',
      'o right o@20',
    ]);
    expect(kept('inner', [...arriving, { right: at(21, 'o', 'o') }])).toEqual(['k right 11@11', 'k left 12@12', 'o right o@21']);
    expect(kept('inner', [...arriving, { right: at(22, 'o', 'o') }])).toEqual(['k left 12@12', 'o right o@22']);
    expect(kept('inner', [...arriving, { right: at(99, 'o', 'o') }])).toEqual(['o right o@99']);
  });

  it('stay while they wait, whatever moves event time', () => {
    const arriving = [{ left: at(10, 'a') }, { left: at(500, null as unknown as string) }];
    expect(kept('left', arriving)).toEqual(['k left a@10 waits']);
    expect(kept('left', [...arriving, { right: at(500, 'o', 'o') }])).toEqual(['o right o@500']);
  });

  it('of another kind of join that waited here before go as others do', () => {
    const store = new ScriptedJoin(definition);
    const before = new Run(new ScriptedScope(), store, 'outer');
    before.right.next(at(10, 'x'));
    before.left.next(at(10, 'a', 'l'));
    const run = before.restarted(store, 'inner');
    run.left.next(at(99, 'o', 'o'));
    run.scope.runSteps();
    expect(store.rows()).toEqual(['o left o@99']);
    expect(run.lines).toEqual([]);
  });

  it('go by side with lateRecords join: one that is silent keeps what Kafka Streams still shows of it', () => {
    const [scope, store] = [new ScriptedScope(), new ScriptedJoin(definition)];
    const [left, right] = [new Subject<Text>(), new Subject<Text>()];
    left.pipe(joinStream(right, store.under(scope), pair, { lateRecords: 'join' })).subscribe();
    right.next(at(10, 'x'));
    for (let time = 10; time < 1000; time++) {
      left.next(at(time, '', `k${time % 7}`));
      scope.runSteps();
    }
    expect(store.rows().filter((row) => row.includes('right'))).toEqual(['k right x@10']);
    expect(store.rows()).toHaveLength(1 + 10);
  });
});
