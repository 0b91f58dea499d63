/** Rows of docs/rxjs.md: warned once, refused under `strict`. A crash at the wrong moment loses or doubles data. */
import { EventEmitter } from 'node:events';
import * as rx from 'rxjs';
import { record } from '../../../src/testing';
import { row, type Letter, type Row } from './row';

const text = (record: Letter, all: readonly Letter[]): Letter => record.withValue(`(${all.map(({ value }) => value).join('')})`);
const flat = rx.mergeMap((all: readonly Letter[]) => all);
const extra = record('k', 'x', 0);
const later = (r: Letter): Promise<Letter> => Promise.resolve(r);
const failingAt = (value: string): rx.MonoTypeOperatorFunction<Letter> =>
  rx.tap((r) => {
    if (r.value === value) throw new Error(value);
  });

/** An output that belongs to an earlier record. */
export const earlier: readonly Row[] = [
  row('bufferCount', ({ source }) => source.pipe(rx.bufferCount(2), flat), '- ab - - - de'),
  row('buffer', ({ source, other }) => source.pipe(rx.buffer(other()), flat), '- a - - - d', 'a B c ↻ d E'),
  row(
    'bufferWhen',
    ({ source, clock }) =>
      source.pipe(
        rx.bufferWhen(() => rx.timer(10, clock)),
        flat,
      ),
    '- - ab - - -',
    'a b +10 c ↻ +10',
  ),
  row('bufferTime', ({ source, clock }) => source.pipe(rx.bufferTime(10, clock), flat), '- - ab - - -', 'a b +10 c ↻ +10'),
  row(
    'bufferToggle',
    ({ source, other, clock }) =>
      source.pipe(
        rx.bufferToggle(other(), () => rx.timer(10, clock)),
        flat,
      ),
    '- - c - - - -',
    'B c +10 D e ↻ +10',
  ),
  row('zip', ({ source, other }) => rx.zip(source, other()).pipe(rx.map(([r]) => r)), '- a - - -', 'a B c ↻ D'),
  row(
    'zipWith',
    ({ source, other }) =>
      source.pipe(
        rx.zipWith(other()),
        rx.map(([r]) => r),
      ),
    '- a - - -',
    'a B c ↻ D',
  ),
  row(
    'combineLatest',
    ({ source, other }) => rx.combineLatest([source, other()]).pipe(rx.map(([r, b]) => text(r, [r, b]))),
    '- (aB) (cB)',
    'a B c',
  ),
  row(
    'combineLatestWith',
    ({ source, other }) =>
      source.pipe(
        rx.combineLatestWith(other()),
        rx.map(([r, b]) => text(r, [r, b])),
      ),
    '- (aB) (cB)',
    'a B c',
  ),
  row('skipLast', ({ source }) => source.pipe(rx.skipLast(1)), '- a b - - d'),
  row('debounceTime', ({ source, clock }) => source.pipe(rx.debounceTime(10, clock)), '- - b - - -', 'a b +10 c ↻ +10'),
  row('debounce', ({ source, clock }) => source.pipe(rx.debounce(() => rx.timer(10, clock))), '- - b - - -', 'a b +10 c ↻ +10'),
  row('auditTime', ({ source, clock }) => source.pipe(rx.auditTime(10, clock)), '- - b - - -', 'a b +10 c ↻ +10'),
  row('audit', ({ source, clock }) => source.pipe(rx.audit(() => rx.timer(10, clock))), '- - b - - -', 'a b +10 c ↻ +10'),
  row('sampleTime', ({ source, clock }) => source.pipe(rx.sampleTime(10, clock)), '- - b - - -', 'a b +10 c ↻ +10'),
  row('sample', ({ source, other }) => source.pipe(rx.sample(other())), '- a - - -', 'a B c ↻ D'),
  row(
    'throttle',
    ({ source, clock }) => source.pipe(rx.throttle(() => rx.timer(10, clock), { trailing: true })),
    'a - b - - -',
    'a b +10 c ↻ +10',
  ),
  row('throttleTime', ({ source, clock }) => source.pipe(rx.throttleTime(10, clock, { trailing: true })), 'a - b - - -', 'a b +10 c ↻ +10'),
  row('delay', ({ source, clock }) => source.pipe(rx.delay(10, clock)), '- - ab - - -', 'a b +10 c ↻ +10'),
  row('delayWhen', ({ source, clock }) => source.pipe(rx.delayWhen(() => rx.timer(10, clock))), '- - ab - - -', 'a b +10 c ↻ +10'),
  row('observeOn', ({ source, clock }) => source.pipe(rx.observeOn(clock)), 'a b c - d e'),
  row(
    'ReplaySubject',
    ({ source }) => {
      const seen = new rx.ReplaySubject<Letter>();
      return source.pipe(
        rx.tap(seen),
        rx.mergeMap(() => seen.pipe(rx.take(1))),
      );
    },
    'a a a - d d',
  ),
  row(
    'shareReplay',
    ({ source }) => {
      const shared = source.pipe(rx.shareReplay());
      return shared.pipe(rx.mergeMap(() => shared.pipe(rx.take(1))));
    },
    'a a a - d d',
  ),
];

/** An output outside a push. */
export const outside: readonly Row[] = [
  row('startWith', ({ source }) => source.pipe(rx.startWith(extra)), 'xa b x c', 'a b ↻ c'),
  row('concat', ({ source }) => rx.concat(rx.of(extra), source), 'xa b x c', 'a b ↻ c'),
  row('of from', ({ source }) => rx.merge(rx.of(extra), rx.from([extra]), source), 'xxa b xx c', 'a b ↻ c'),
  row('publishBehavior', ({ source }) => source.pipe(rx.publishBehavior<Letter>(extra), rx.refCount()), 'xa b x c', 'a b ↻ c'),
  row('BehaviorSubject', ({ source }) => rx.merge(source, new rx.BehaviorSubject(extra)), 'xa b x c', 'a b ↻ c'),
  row('mergeMap', ({ source }) => source.pipe(rx.mergeMap(later)), '- a - b', 'a ~1 b ~1'),
  row('concatMap', ({ source }) => source.pipe(rx.concatMap(later)), '- a - b', 'a ~1 b ~1'),
  row('switchMap', ({ source }) => source.pipe(rx.switchMap(later)), '- a - b', 'a ~1 b ~1'),
  row('exhaustMap', ({ source }) => source.pipe(rx.exhaustMap(later)), '- a - b', 'a ~1 b ~1'),
  row(
    'expand',
    ({ source }) => source.pipe(rx.expand((r) => (r.value.length < 2 ? later(r.withValue(`${r.value}!`)) : rx.EMPTY))),
    'a a! b b!',
    'a ~1 b ~1',
  ),
  row('from', ({ source }) => source.pipe(rx.mergeMap((r) => rx.from(later(r)))), '- a - b', 'a ~1 b ~1'),
  row('observeOn asyncScheduler async', ({ source }) => source.pipe(rx.observeOn(rx.asyncScheduler)), '- a - b', 'a ~1 b ~1'),
  row(
    'scheduled asapScheduler asap',
    ({ source }) => source.pipe(rx.mergeMap((r) => rx.scheduled([r], rx.asapScheduler))),
    '- a - b',
    'a ~1 b ~1',
  ),
  row('debounceTime', ({ source }) => source.pipe(rx.debounceTime(5)), '- - b', 'a b ~5'),
  row('auditTime', ({ source }) => source.pipe(rx.auditTime(5)), '- - b', 'a b ~5'),
  row('sampleTime', ({ source }) => source.pipe(rx.sampleTime(5)), '- - b', 'a b ~5'),
  row('throttleTime', ({ source }) => source.pipe(rx.throttleTime(5, undefined, { leading: false, trailing: true })), '- - b', 'a b ~5'),
  row('bufferTime', ({ source }) => source.pipe(rx.bufferTime(5), flat), '- - ab', 'a b ~5'),
  row('delay', ({ source }) => source.pipe(rx.delay(5)), '- - ab', 'a b ~5'),
  row(
    'interval timer',
    ({ source }) => rx.merge(source, rx.merge(rx.interval(5), rx.timer(5, 5)).pipe(rx.map(() => extra))),
    'a xx xx',
    'a ~5 ~5',
  ),
  row(
    'fromEvent',
    ({ source }) => {
      const emitter = new EventEmitter();
      setTimeout(() => emitter.emit('event', extra), 5);
      return rx.merge(source, rx.fromEvent(emitter, 'event') as rx.Observable<Letter>);
    },
    'a x',
    'a ~5',
  ),
  row(
    'fromEventPattern',
    ({ source }) =>
      rx.merge(
        source,
        rx.fromEventPattern<Letter>((handler) => void setTimeout(handler, 5, extra)),
      ),
    'a x',
    'a ~5',
  ),
  row(
    'bindCallback',
    ({ source }) => source.pipe(rx.mergeMap((r) => rx.bindCallback((done: (r: Letter) => void) => void setTimeout(done, 5, r))())),
    '- a',
    'a ~5',
  ),
  row(
    'bindNodeCallback',
    ({ source }) =>
      source.pipe(rx.mergeMap((r) => rx.bindNodeCallback((done: (e: unknown, r: Letter) => void) => void setTimeout(done, 5, null, r))())),
    '- a',
    'a ~5',
  ),
];

/** A source subscribed after the topology had been assembled. */
export const late: readonly Row[] = [
  row('retry', ({ source }) => source.pipe(failingAt('b'), rx.retry()), 'a - c - d e'),
  row(
    'retryWhen',
    ({ source }) =>
      source.pipe(
        failingAt('b'),
        rx.retryWhen((errors) => errors),
      ),
    'a - c - d e',
  ),
  row(
    'catchError',
    ({ source }) =>
      source.pipe(
        failingAt('b'),
        rx.catchError((_, again) => again),
      ),
    'a - c - d e',
  ),
  row('repeat', ({ source }) => source.pipe(rx.take(2), rx.repeat()), 'a b c - d e'),
  row(
    'repeatWhen',
    ({ source }) =>
      source.pipe(
        rx.take(2),
        rx.repeatWhen((ends) => ends),
      ),
    'a b c - d e',
  ),
  row(
    'defer',
    ({ source }) => source.pipe(rx.mergeMap((r) => rx.merge(rx.of(r), rx.defer(() => source).pipe(rx.take(1))))),
    'a bb cc - d ee',
  ),
];
