/** Rows of docs/rxjs.md: noted. State in memory, that begins anew whenever the topology is assembled. */
import * as rx from 'rxjs';
import { record } from '../../../src/testing';
import { row, type Letter, type Row } from './row';

const numbered = (record: Letter, n: number): Letter => record.withValue(String(n));
const text = (record: Letter, all: readonly Letter[]): Letter => record.withValue(`(${all.map(({ value }) => value).join('')})`);
const last = <T>(all: readonly T[]): T => all[all.length - 1]!;
/** Each with its number in its window. */
const counting = rx.mergeMap((window: rx.Observable<Letter>) => window.pipe(rx.map((r, at) => numbered(r, at + 1))));

export const noted: readonly Row[] = [
  row('scan', ({ source }) => source.pipe(rx.scan((before, r) => r.withValue(before.value + r.value))), 'a ab abc - d de'),
  row(
    'mergeScan',
    ({ source }) => source.pipe(rx.mergeScan((before, r) => rx.of(r.withValue(before.value + r.value)), { value: '' } as Letter)),
    'a ab abc - d de',
  ),
  row(
    'switchScan',
    ({ source }) => source.pipe(rx.switchScan((before, r) => rx.of(r.withValue(before.value + r.value)), { value: '' } as Letter)),
    'a ab abc - d de',
  ),
  row('distinct', ({ source }) => source.pipe(rx.distinct(({ value }) => value)), 'a b - - a -', 'a b a ↻ a a'),
  row(
    'distinctUntilChanged',
    ({ source }) => source.pipe(rx.distinctUntilChanged((a, b) => a.value === b.value)),
    'a - b - b -',
    'a a b ↻ b b',
  ),
  row('distinctUntilKeyChanged', ({ source }) => source.pipe(rx.distinctUntilKeyChanged('value')), 'a - b - b -', 'a a b ↻ b b'),
  row(
    'pairwise',
    ({ source }) =>
      source.pipe(
        rx.pairwise(),
        rx.map((pair) => text(last(pair), pair)),
      ),
    '- (ab) (bc) - - (de)',
  ),
  row(
    'groupBy',
    ({ source }) =>
      source.pipe(
        rx.groupBy(({ value }) => value),
        counting,
      ),
    '1 1 2 - 1 2',
    'a b a ↻ a a',
  ),
  row(
    'bufferCount',
    ({ source }) =>
      source.pipe(
        rx.bufferCount(2),
        rx.map((all) => text(last(all), all)),
      ),
    '- (ab) - - - (de)',
  ),
  row('windowCount', ({ source }) => source.pipe(rx.windowCount(2), counting), '1 2 1 - 1 2'),
  row('window', ({ source, other }) => source.pipe(rx.window(other()), counting), '1 - 1 - 1', 'a B c ↻ d'),
  row(
    'windowWhen',
    ({ source, clock }) =>
      source.pipe(
        rx.windowWhen(() => rx.timer(10, clock)),
        counting,
      ),
    '1 2 - 1 - 1',
    'a b +10 c ↻ d',
  ),
  row('windowTime', ({ source, clock }) => source.pipe(rx.windowTime(10, clock), counting), '1 2 - 1 - 1', 'a b +10 c ↻ d'),
  row(
    'windowToggle',
    ({ source, other, clock }) =>
      source.pipe(
        rx.windowToggle(other(), () => rx.timer(10, clock)),
        counting,
      ),
    '- - 1 - -',
    'a B c ↻ d',
  ),
  row(
    'interval timer',
    ({ source, clock }) =>
      rx.merge(source, rx.merge(rx.interval(10, clock), rx.timer(10, 10, clock)).pipe(rx.map((n) => record('k', String(n), 0)))),
    'a 00 11 - 00',
    'a +10 +10 ↻ +10',
  ),
  row(
    'withLatestFrom',
    ({ source, other }) =>
      source.pipe(
        rx.withLatestFrom(other()),
        rx.map(([r, b]) => text(r, [r, b])),
      ),
    '- - (cB) - - - (eD)',
    'a B c ↻ d D e',
  ),
  row('skip', ({ source }) => source.pipe(rx.skip(1)), '- b c - - e'),
  row('skipWhile', ({ source }) => source.pipe(rx.skipWhile(({ value }) => value !== 'b')), '- b c - - -'),
  row('skipUntil', ({ source, clock }) => source.pipe(rx.skipUntil(rx.timer(10, clock))), '- - b - - - d', 'a +10 b ↻ c +10 d'),
  row('throttle', ({ source, clock }) => source.pipe(rx.throttle(() => rx.timer(10, clock))), 'a - - c - d -', 'a b +10 c ↻ d e'),
  row('throttleTime', ({ source, clock }) => source.pipe(rx.throttleTime(10, clock)), 'a - - c - d -', 'a b +10 c ↻ d e'),
  row(
    'timeInterval',
    ({ source, clock }) =>
      source.pipe(
        rx.timeInterval(clock),
        rx.map(({ value, interval }) => numbered(value, interval)),
      ),
    '0 - - 0',
    'a +5 ↻ b',
  ),
  row(
    'combineLatest',
    ({ source, other }) => rx.combineLatest([source, other()]).pipe(rx.map(([r, b]) => text(r.timestamp > b.timestamp ? r : b, [r, b]))),
    '- (aB) (cB) - - (dE)',
    'a B c ↻ d E',
  ),
  row(
    'combineLatestWith',
    ({ source, other }) =>
      source.pipe(
        rx.combineLatestWith(other()),
        rx.map(([r, b]) => text(r.timestamp > b.timestamp ? r : b, [r, b])),
      ),
    '- (aB) (cB) - - (dE)',
    'a B c ↻ d E',
  ),
  row(
    'BehaviorSubject',
    ({ source, other }) => {
      const latest = new rx.BehaviorSubject('?');
      return rx.merge(
        source.pipe(rx.map((r) => r.withValue(r.value + latest.value))),
        other().pipe(
          rx.tap(({ value }) => latest.next(value)),
          rx.ignoreElements(),
        ),
      );
    },
    'a? - cB - d?',
    'a B c ↻ d',
  ),
];
