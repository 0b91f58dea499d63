/** Rows of docs/rxjs.md: safe. Each record gives the same, whatever came before and however often the topology is assembled. */
import * as rx from 'rxjs';
import { row, type Letter, type Row } from './row';

const upper = (record: Letter): Letter => record.withValue(record.value.toUpperCase());
const twice = (record: Letter): rx.Observable<Letter> => rx.of(record, record);
const isVowel = ({ value }: Letter): boolean => 'aeiou'.includes(value);

export const safe: readonly Row[] = [
  row('map', ({ source }) => source.pipe(rx.map(upper)), 'A B C - D E'),
  row('mapTo', ({ source }) => source.pipe(rx.mergeMap((r) => rx.of(0).pipe(rx.mapTo(r)))), 'a b c - d e'),
  row('pluck', ({ source }) => source.pipe(rx.mergeMap((r) => rx.of({ r }).pipe(rx.pluck('r')))), 'a b c - d e'),
  row('filter', ({ source }) => source.pipe(rx.filter(isVowel)), 'a - - - - e'),
  row('tap', ({ source }) => source.pipe(rx.tap(() => undefined)), 'a b c - d e'),
  row('finalize', ({ source }) => source.pipe(rx.finalize(() => undefined)), 'a b c - d e'),
  row('mergeMap flatMap', ({ source }) => source.pipe(rx.mergeMap(twice), rx.flatMap(twice)), 'aaaa bbbb cccc - dddd eeee'),
  row('concatMap', ({ source }) => source.pipe(rx.concatMap(twice)), 'aa bb cc - dd ee'),
  row('switchMap', ({ source }) => source.pipe(rx.switchMap(twice)), 'aa bb cc - dd ee'),
  row('exhaustMap', ({ source }) => source.pipe(rx.exhaustMap(twice)), 'aa bb cc - dd ee'),
  row('mergeAll', ({ source }) => source.pipe(rx.map(twice), rx.mergeAll()), 'aa bb cc - dd ee'),
  row('concatAll', ({ source }) => source.pipe(rx.map(twice), rx.concatAll()), 'aa bb cc - dd ee'),
  row('switchAll', ({ source }) => source.pipe(rx.map(twice), rx.switchAll()), 'aa bb cc - dd ee'),
  row(
    'exhaustAll exhaust',
    ({ source }) => source.pipe(rx.map(twice), rx.exhaustAll(), rx.map(twice), rx.exhaust()),
    'aaaa bbbb cccc - dddd eeee',
  ),
  row(
    'mergeMapTo concatMapTo switchMapTo',
    ({ source }) =>
      source.pipe(rx.mergeMap((r) => rx.of(1, 2).pipe(rx.mergeMapTo(rx.of(0)), rx.concatMapTo(rx.of(0)), rx.switchMapTo(rx.of(r))))),
    'aa bb cc - dd ee',
  ),
  row(
    'expand',
    ({ source }) => source.pipe(rx.expand((r) => (r.value.length < 3 ? rx.of(r.withValue(`${r.value}!`)) : rx.EMPTY))),
    'aa!a!! bb!b!! cc!c!! - dd!d!! ee!e!!',
  ),
  row('merge', ({ source, other }) => rx.merge(source, other()), 'a B c - D e', 'a B c ↻ D e'),
  row('mergeWith', ({ source, other }) => source.pipe(rx.mergeWith(other())), 'a B c - D e', 'a B c ↻ D e'),
  row(
    'partition',
    ({ source }) => {
      const [vowels, others] = rx.partition(source, isVowel);
      return rx.merge(vowels.pipe(rx.map(upper)), others);
    },
    'A b c - d E',
  ),
  row(
    'share',
    ({ source }) => {
      const shared = source.pipe(rx.share());
      return rx.merge(shared, shared.pipe(rx.map(upper)));
    },
    'aA bB cC - dD eE',
  ),
  row(
    'shareReplay',
    ({ source }) => {
      const shared = source.pipe(rx.shareReplay(2));
      return rx.merge(shared, shared.pipe(rx.map(upper)));
    },
    'aA bB cC - dD eE',
  ),
  row('connect', ({ source }) => source.pipe(rx.connect((shared) => rx.merge(shared, shared.pipe(rx.map(upper))))), 'aA bB cC - dD eE'),
  row(
    'publish refCount',
    ({ source }) => {
      const shared = source.pipe(rx.publish(), rx.refCount());
      return rx.merge(shared, shared.pipe(rx.map(upper)));
    },
    'aA bB cC - dD eE',
  ),
  row(
    'multicast',
    ({ source }) =>
      source.pipe(
        rx.multicast(
          () => new rx.Subject<Letter>(),
          (shared) => rx.merge(shared, shared.pipe(rx.map(upper))),
        ),
      ),
    'aA bB cC - dD eE',
  ),
  row(
    'connectable ConnectableObservable',
    ({ source }) => {
      const shared = rx.connectable(source);
      return rx.merge(shared, shared.pipe(rx.map(upper)), new rx.Observable<never>(() => shared.connect()));
    },
    'aA bB cC - dD eE',
  ),
  row('publishReplay', ({ source }) => source.pipe(rx.publishReplay(2), rx.refCount()), 'a b c - d e'),
  row('materialize dematerialize', ({ source }) => source.pipe(rx.materialize(), rx.dematerialize()), 'a b c - d e'),
  row(
    'timestamp',
    ({ source }) =>
      source.pipe(
        rx.timestamp(),
        rx.map(({ value }) => value),
      ),
    'a b c - d e',
  ),
  row('delayWhen', ({ source }) => source.pipe(rx.delayWhen(() => rx.of(0))), 'a b c - d e'),
  row('observeOn queueScheduler queue', ({ source }) => source.pipe(rx.observeOn(rx.queueScheduler)), 'a b c - d e'),
  row('defaultIfEmpty', ({ source }) => source.pipe(rx.defaultIfEmpty<Letter, Letter>(undefined as never)), 'a b c - d e'),
  row('throwIfEmpty', ({ source }) => source.pipe(rx.throwIfEmpty()), 'a b c - d e'),
  row('repeat', ({ source }) => source.pipe(rx.repeat()), 'a b c - d e'),
  row('repeatWhen', ({ source }) => source.pipe(rx.repeatWhen((ends) => ends)), 'a b c - d e'),
  row('endWith', ({ source }) => source.pipe(rx.endWith(undefined as unknown as Letter)), 'a b c - d e'),
  row(
    'catchError',
    ({ source }) => source.pipe(rx.mergeMap((r) => rx.throwError(() => r.value).pipe(rx.catchError(() => rx.of(r))))),
    'a b c - d e',
  ),
  row(
    'throwError',
    ({ source }) => source.pipe(rx.mergeMap((r) => rx.throwError(() => r.value).pipe(rx.catchError(() => rx.of(r))))),
    'a b c - d e',
  ),
  row(
    'retry',
    ({ source }) =>
      source.pipe(
        rx.concatMap((r) => {
          let tries = 0;
          return rx
            .defer(() => (++tries < 3 ? rx.throwError(() => r.value) : rx.of(r.withValue(`${r.value}${String(tries)}`))))
            .pipe(rx.retry(2));
        }),
      ),
    'a3 b3 c3 - d3 e3',
  ),
  row(
    'retryWhen',
    ({ source }) =>
      source.pipe(
        rx.concatMap((r) => {
          let tries = 0;
          return rx
            .defer(() => (++tries < 3 ? rx.throwError(() => r.value) : rx.of(r)))
            .pipe(rx.retryWhen((errors) => errors.pipe(rx.take(5))));
        }),
      ),
    'a b c - d e',
  ),
  row(
    'onErrorResumeNextWith',
    ({ source }) => source.pipe(rx.mergeMap((r) => rx.throwError(() => r.value).pipe(rx.onErrorResumeNextWith(rx.of(r))))),
    'a b c - d e',
  ),
  row('defer', ({ source }) => source.pipe(rx.mergeMap((r) => rx.defer(() => rx.of(r)))), 'a b c - d e'),
  row('iif', ({ source }) => source.pipe(rx.mergeMap((r) => rx.iif(() => isVowel(r), rx.of(upper(r)), rx.EMPTY))), 'A - - - - E'),
  row(
    'of EMPTY empty NEVER never',
    ({ source }) => source.pipe(rx.mergeMap((r) => rx.merge(rx.of(r), rx.EMPTY, rx.empty(), rx.NEVER, rx.never()))),
    'a b c - d e',
  ),
  row('from', ({ source }) => source.pipe(rx.mergeMap((r) => rx.from([r, upper(r)]))), 'aA bB cC - dD eE'),
  row(
    'range',
    ({ source }) => source.pipe(rx.mergeMap((r) => rx.range(0, 2).pipe(rx.map((n) => r.withValue(`${r.value}${String(n)}`))))),
    'a0a1 b0b1 c0c1 - d0d1 e0e1',
  ),
  row(
    'generate',
    ({ source }) =>
      source.pipe(
        rx.mergeMap((r) =>
          rx
            .generate(
              0,
              (n) => n < 2,
              (n) => n + 1,
            )
            .pipe(rx.map(() => r)),
        ),
      ),
    'aa bb cc - dd ee',
  ),
  row('pairs', ({ source }) => source.pipe(rx.mergeMap((r) => rx.pairs({ x: r }).pipe(rx.map(([, each]) => each)))), 'a b c - d e'),
  row(
    'using',
    ({ source }) =>
      rx.using(
        () => new rx.Subscription(),
        () => source,
      ),
    'a b c - d e',
  ),
  row('scheduled', ({ source }) => source.pipe(rx.mergeMap((r) => rx.scheduled([r], rx.queueScheduler))), 'a b c - d e'),
  row(
    'Observable Subscriber Subscription',
    ({ source }) => new rx.Observable<Letter>((subscriber: rx.Subscriber<Letter>): rx.Subscription => source.subscribe(subscriber)),
    'a b c - d e',
  ),
  row(
    'Subject',
    ({ source }) => {
      const vowels = new rx.Subject<Letter>();
      return rx.merge(source.pipe(rx.tap((r) => isVowel(r) && vowels.next(upper(r)))), vowels);
    },
    'Aa b c - d Ee',
  ),
  row('pipe identity', ({ source }) => rx.pipe(rx.map(upper), rx.identity)(source), 'A B C - D E'),
];
