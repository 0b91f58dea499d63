/** Rows of docs/rxjs.md: what ends a stream, never begins it, or waits for an end that never comes. */
import * as rx from 'rxjs';
import { record } from '../../../src/testing';
import { row, type Letter, type Row } from './row';

const said = (value: unknown): Letter => record('k', String(value), 0);
const isVowel = ({ value }: Letter): boolean => 'aeiou'.includes(value);
const failingAt = (value: string): rx.MonoTypeOperatorFunction<Letter> =>
  rx.tap((r) => {
    if (r.value === value) throw new Error(value);
  });

export const pauses: readonly Row[] = [
  row('take', ({ source }) => source.pipe(rx.take(2)), 'a !NO_SUBSCRIBERS'),
  row('takeWhile', ({ source }) => source.pipe(rx.takeWhile(({ value }) => value < 'c')), 'a b !NO_SUBSCRIBERS'),
  row('takeUntil', ({ source, clock }) => source.pipe(rx.takeUntil(rx.timer(10, clock))), 'a !NO_SUBSCRIBERS', 'a +10 b c'),
  row('first', ({ source }) => source.pipe(rx.first()), '!NO_SUBSCRIBERS'),
  row('elementAt', ({ source }) => source.pipe(rx.elementAt(1)), '- !NO_SUBSCRIBERS'),
  row(
    'find',
    ({ source }) =>
      source.pipe(
        rx.find(({ value }) => value === 'b'),
        rx.map((r) => r!),
      ),
    '- !NO_SUBSCRIBERS',
  ),
  row(
    'findIndex',
    ({ source }) =>
      source.pipe(
        rx.findIndex(({ value }) => value === 'b'),
        rx.map(said),
      ),
    '- !NO_SUBSCRIBERS',
  ),
  row('every', ({ source }) => source.pipe(rx.every(isVowel), rx.map(said)), '- !NO_SUBSCRIBERS'),
  row('isEmpty', ({ source }) => source.pipe(rx.isEmpty(), rx.map(said)), '!NO_SUBSCRIBERS'),
  row('sequenceEqual', ({ source }) => source.pipe(rx.sequenceEqual<Letter>(rx.EMPTY), rx.map(said)), '!NO_SUBSCRIBERS'),
  row('race', ({ source, other }) => rx.race(source, other()), 'a b !NO_SUBSCRIBERS', 'a b C d'),
  row('raceWith', ({ source, other }) => source.pipe(rx.raceWith(other())), 'a b !NO_SUBSCRIBERS', 'a b C d'),
  row('skipUntil', ({ source, other }) => source.pipe(rx.skipUntil(other())), '- !NO_SUBSCRIBERS', 'a B c'),
  row(
    'catchError',
    ({ source }) =>
      source.pipe(
        failingAt('b'),
        rx.catchError(() => rx.EMPTY),
      ),
    'a !NO_SUBSCRIBERS',
  ),
  row('onErrorResumeNextWith', ({ source }) => source.pipe(failingAt('b'), rx.onErrorResumeNextWith(rx.NEVER)), 'a !NO_SUBSCRIBERS'),
  row(
    'materialize',
    ({ source }) =>
      source.pipe(
        failingAt('b'),
        rx.materialize(),
        rx.filter(({ kind }) => kind === 'N'),
        rx.map(({ value }) => value!),
      ),
    'a !NO_SUBSCRIBERS',
  ),
  row('timeoutWith', ({ source, clock }) => source.pipe(rx.timeoutWith(10, rx.EMPTY, clock)), 'a !NO_SUBSCRIBERS', 'a +10 b c'),
  row('firstValueFrom', ({ source }) => rx.from(rx.firstValueFrom(source)), '!NO_SUBSCRIBERS'),
  row('take', ({ source }) => rx.merge(source, source.pipe(rx.take(2))), 'aa !NO_SUBSCRIBERS'),
];

export const fails: readonly Row[] = [
  row('single', ({ source }) => source.pipe(rx.single()), '- !PROCESSING'),
  row('timeout', ({ source, clock }) => source.pipe(rx.timeout({ each: 10, scheduler: clock })), 'a !PROCESSING', 'a +10'),
  row('timeout', ({ source }) => source.pipe(rx.timeout(5)), 'a !PROCESSING', 'a ~5'),
  row('throwError', ({ source }) => source.pipe(rx.mergeMap((r) => rx.throwError(() => r.value))), '!PROCESSING'),
];

export const silent: readonly Row[] = [
  ...(
    [
      ['toArray', rx.toArray()],
      ['count', rx.count()],
      ['reduce', rx.reduce((a: Letter) => a)],
      ['last', rx.last()],
      ['takeLast', rx.takeLast(1)],
      ['min', rx.min()],
      ['max', rx.max()],
      ['ignoreElements', rx.ignoreElements()],
    ] as const
  ).map(([name, operator]) =>
    row(name, ({ source }) => source.pipe(operator as rx.OperatorFunction<Letter, unknown>, rx.map(said)), '- - - - - -'),
  ),
  row(
    'combineLatestAll combineAll',
    ({ source }) =>
      rx
        .merge(
          source.pipe(
            rx.map((r) => rx.of(r)),
            rx.combineLatestAll(),
          ),
          source.pipe(
            rx.map((r) => rx.of(r)),
            rx.combineAll(),
          ),
        )
        .pipe(rx.map(said)),
    '- - - - - -',
  ),
  row(
    'zipAll',
    ({ source }) =>
      source.pipe(
        rx.map((r) => rx.of(r)),
        rx.zipAll(),
        rx.map(said),
      ),
    '- - - - - -',
  ),
  row('forkJoin', ({ source, other }) => rx.forkJoin([source, other()]).pipe(rx.map(said)), '- - - - - -', 'a B c ↻ d E'),
  row('publishLast', ({ source }) => source.pipe(rx.publishLast(), rx.refCount()), '- - - - - -'),
  row('AsyncSubject', ({ source }) => source.pipe(rx.multicast(new rx.AsyncSubject<Letter>()), rx.refCount()), '- - - - - -'),
  row('lastValueFrom', ({ source }) => rx.from(rx.lastValueFrom(source)), '- - - - - -'),
];

export const refused: readonly Row[] = [
  row('concat', ({ source, other }) => rx.concat(source, other()), '!NO_SUBSCRIBERS'),
  row('concatWith', ({ source, other }) => source.pipe(rx.concatWith(other())), '!NO_SUBSCRIBERS'),
  row('onErrorResumeNext', ({ source, other }) => rx.onErrorResumeNext(source, other()), '!NO_SUBSCRIBERS'),
  row('subscribeOn', ({ source, clock }) => source.pipe(rx.subscribeOn(clock)), '!NO_SUBSCRIBERS'),
  row(
    'animationFrames animationFrameScheduler animationFrame',
    ({ source }) => rx.merge(source, rx.animationFrames().pipe(rx.map(said))),
    '!ReferenceError',
  ),
];
