import { type Observable, share } from 'rxjs';
import { MillraceError } from '../src/errors/millrace-error';
import { type AnyRecord, filterInputs } from './operator';

/**
 * Splits a stream by the first predicate that is true; what matches none is `rest`. A function, not an operator: it gives several
 * observables, as `partition` of rxjs does.
 *
 * ```text
 * in     --1---2---3---4--|      { small: n < 3, even: n is even }
 * small  --1---2----------|
 * even   --------------4--|
 * rest   ----------3------|
 * ```
 * Predicates are tried in the order they are written, once a record. The source is subscribed once, as by `share()`, when the first
 * branch is; subscribe all branches that you want before it emits.
 *
 * @throws CONFIG for a predicate named `rest`. In the stream: PROCESSING when a predicate throws
 * @example
 * const by = branch(stream(clicks), { web: (click) => click.device === 'web', tv: (click) => click.device === 'tv' });
 * merge(by.web.pipe(to(web)), by.tv.pipe(to(tv)), by.rest.pipe(to(others)));
 */
export function branch<R extends AnyRecord, N extends string>(
  source: Observable<R>,
  predicates: Readonly<Record<N, (value: R['value'], record: R) => boolean>>,
): Readonly<Record<N | 'rest', Observable<R>>> {
  const names = Object.keys(predicates) as N[];
  if (names.includes('rest' as N)) {
    throw new MillraceError('CONFIG', 'branch: rest is the name of what matches no predicate; give that predicate another name', {
      where: { operator: 'branch', option: 'rest' },
    });
  }
  const shared = source.pipe(share());
  const match = firstMatch(names, predicates);
  const branches = {} as Record<N | 'rest', Observable<R>>;
  for (const name of [...names, 'rest' as const]) branches[name] = shared.pipe(filterInputs('branch', (record) => match(record) === name));
  return branches;
}

/** The answer for the record at hand is kept: the branches are asked one after the other about the same one. */
function firstMatch<R extends AnyRecord, N extends string>(
  names: readonly N[],
  predicates: Readonly<Record<N, (value: R['value'], record: R) => boolean>>,
): (record: R) => N | 'rest' {
  let asked: R | undefined;
  let answer: N | 'rest' = 'rest';
  return (record) => {
    if (record === asked) return answer;
    asked = undefined;
    answer = names.find((name) => predicates[name](record.value, record)) ?? 'rest';
    asked = record;
    return answer;
  };
}
