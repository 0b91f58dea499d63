import { of } from 'rxjs';
import { windowTumbling } from '../../operators';
import type { ErrorCode } from '../../src/errors/codes';
import type { TimeWindows } from '../../src/model/window';
import { record } from '../../src/testing';
import { errorWith } from './errors';
import { marbles } from './marbles';

const size5 = { size: 5, grace: 2 };
const at = (timestamp: number) => record('k', 'v', timestamp);

function windowOf(timestamp: number, size: number): unknown {
  let found: unknown;
  of(at(timestamp))
    .pipe(windowTumbling({ size }))
    .subscribe({ next: ({ windows }) => (found = windows), error: (error: unknown) => (found = error) });
  return found;
}

describe('windowTumbling', () => {
  it('puts each record into the window that holds its timestamp, and says by which windows', () => {
    marbles(({ cold, expectObservable, expectSubscriptions }) => {
      const source = cold('-a-b-c-|', { a: at(4), b: at(5), c: at(3) });
      const subs = '        ^------!';
      const out = '         -x-y-z-|';
      expectObservable(source.pipe(windowTumbling(size5))).toBe(out, {
        x: { record: at(4), windows: [{ start: 0, end: 5 }], by: size5 },
        y: { record: at(5), windows: [{ start: 5, end: 10 }], by: size5 },
        z: { record: at(3), windows: [{ start: 0, end: 5 }], by: size5 },
      });
      expectSubscriptions(source.subscriptions).toBe(subs);
    });
  });

  it.each([
    [0, 10, 0],
    [9, 10, 0],
    [10, 10, 10],
    [21, 12, 12],
    [7, 1, 7],
    [1_700_000_061_234, 60_000, 1_700_000_040_000],
    [2 ** 53 - 1, 2 ** 53 - 1, 2 ** 53 - 1],
    [2 ** 53 - 1, 10, 2 ** 53 - 2],
    [2 ** 53 - 1, 7, 2 ** 53 - 1 - ((2 ** 53 - 1) % 7)],
  ])('puts time %d with size %d into the window that starts at %d', (timestamp, size, start) => {
    expect(windowOf(timestamp, size)).toEqual([{ start, end: start + size }]);
  });

  it.each([-1, 0.5, NaN, Infinity, 2 ** 53])('ends with INVALID_TIMESTAMP at the timestamp %d', (timestamp) => {
    expect(windowOf(timestamp, 10)).toMatchObject({ code: 'INVALID_TIMESTAMP', where: { operator: 'windowTumbling' } });
  });

  it.each<readonly [TimeWindows, ErrorCode, string, number]>([
    [{ size: 0 }, 'WINDOW_SIZE', 'size', 0],
    [{ size: -1 }, 'WINDOW_SIZE', 'size', -1],
    [{ size: 1.5 }, 'WINDOW_SIZE', 'size', 1.5],
    [{ size: NaN }, 'WINDOW_SIZE', 'size', NaN],
    [{ size: 2 ** 53 }, 'WINDOW_SIZE', 'size', 2 ** 53],
    [{ size: 10, grace: -1 }, 'WINDOW_GRACE', 'grace', -1],
    [{ size: 10, grace: 0.5 }, 'WINDOW_GRACE', 'grace', 0.5],
    [{ size: 10, grace: NaN }, 'WINDOW_GRACE', 'grace', NaN],
    [{ size: 10, advance: 5 }, 'WINDOW_ADVANCE', 'advance', 5],
    [{ size: 10, advance: 11 }, 'WINDOW_ADVANCE', 'advance', 11],
    [{ size: 10, advance: 0 }, 'WINDOW_ADVANCE', 'advance', 0],
  ])('refuses %p at assembly with %s, naming option and value', (windows, code, option, value) => {
    expect(() => windowTumbling(windows as { size: number })).toThrow(
      errorWith({
        code,
        message: `windowTumbling: the option ${option} is ${value};`,
        where: { operator: 'windowTumbling', option },
      }),
    );
  });

  it('passes an error of the source on as it is', () => {
    marbles(({ cold, expectObservable }) => {
      const windowed = cold('-a-#', { a: at(1) }).pipe(windowTumbling(size5));
      expectObservable(windowed).toBe('-x-#', { x: { record: at(1), windows: [{ start: 0, end: 5 }], by: size5 } });
    });
  });

  it('unsubscribes from its source when it is unsubscribed', () => {
    marbles(({ cold, expectObservable, expectSubscriptions }) => {
      const source = cold('-a-a', { a: at(1) });
      expectObservable(source.pipe(windowTumbling(size5)), '--!').toBe('-x', {
        x: { record: at(1), windows: [{ start: 0, end: 5 }], by: size5 },
      });
      expectSubscriptions(source.subscriptions).toBe('^-!');
    });
  });
});
