/** Tumbling windows of the size Infinity: one window, from 0 on, that never ends. */
import { of } from 'rxjs';
import { countWithStore, windowTumbling } from '../../operators';
import { int64, string } from '../../src/codec/primitives';
import { windowStore } from '../../src/state/definition';
import { memoryStore, record } from '../../src/testing';
import { droppedRecords } from '../../src/testing/memory-store';
import { errorWith } from './errors';
import { marbles } from './marbles';
import { ScriptedScope, ScriptedStore } from './scripted-scope';

const windows = { size: Infinity };
const definition = windowStore('all-time', { key: string, value: int64, windows });
const LATEST = 2 ** 53 - 1;

const at = (timestamp: number) => record('k', 'v', timestamp);
const counted = (count: number, timestamp: number) => record({ key: 'k', start: 0, end: Infinity }, count, timestamp);

describe('windows without an end', () => {
  it('take every record, however late', () => {
    const store = memoryStore(definition);
    marbles(({ cold, expectObservable }) => {
      const source = cold('-a-b-c-|', { a: at(LATEST), b: at(0), c: at(5) });
      expectObservable(source.pipe(windowTumbling(windows), countWithStore(store))).toBe('-x-y-z-|', {
        x: counted(1, LATEST),
        y: counted(2, LATEST),
        z: counted(3, LATEST),
      });
    });
    expect(droppedRecords(store)).toBe(0);
    expect(store.get('k', 0)).toBe(3);
  });

  it('are never removed, not after a restart either', () => {
    const rows = new ScriptedStore(definition);
    let scope = new ScriptedScope();
    for (const timestamp of [0, LATEST]) {
      scope = new ScriptedScope(scope.cells);
      of(at(timestamp))
        .pipe(windowTumbling(windows), countWithStore(rows.under(scope)))
        .subscribe();
      expect(scope.waiting).toBe(0);
    }
    expect(rows.starts).toEqual([0]);
  });

  it("refuse emit 'close' at assembly: nothing would ever come", () => {
    expect(() => countWithStore(memoryStore(definition), { emit: 'close' })).toThrow(
      errorWith({
        code: 'CONFIG',
        message: "countWithStore: the option emit is 'close', but the windows of store all-time have the size Infinity",
        where: { operator: 'countWithStore', option: 'emit' },
      }),
    );
  });

  it('come back from a windowed key with their end', () => {
    const { key } = definition.output;
    const windowed = { key: 'k', start: 0, end: Infinity };
    expect(key.decode(key.encode(windowed) as Uint8Array)).toEqual({ _tag: 'Right', right: windowed });
  });

  it.each([1, -1, NaN, Infinity])('refuse a grace of %d', (grace) => {
    expect(() => windowTumbling({ size: Infinity, grace })).toThrow(
      errorWith({ code: 'WINDOW_GRACE', message: `the option grace is ${grace};`, where: { operator: 'windowTumbling', option: 'grace' } }),
    );
  });

  it('are the same with a grace of 0', () => {
    const source = of(at(1)).pipe(windowTumbling({ size: Infinity, grace: 0 }));
    expect(() => source.pipe(countWithStore(memoryStore(definition)))).not.toThrow();
  });

  it('refuse a retention: they are always readable', () => {
    expect(() => windowStore('all-time', { key: string, value: int64, windows, retention: 5 })).toThrow(
      errorWith({ code: 'CONFIG', where: { store: 'all-time', option: 'retention' } }),
    );
  });

  it('are named in the message when a store was declared for others', () => {
    const other = windowStore('others', { key: string, value: int64, windows: { size: 10 } });
    expect(() => of(at(1)).pipe(windowTumbling(windows), countWithStore(memoryStore(other)))).toThrow(
      errorWith({ code: 'STORE_WINDOWS', message: /"size":"Infinity".*"size":10/ }),
    );
  });
});
