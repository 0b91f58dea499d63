import { MillraceError } from '../../src/errors/millrace-error';
import type { StoreShape } from '../../src/model/store-definition';
import type { Fold, Merge } from '../fold/fold';

/** @throws CONFIG when two sessions cannot become one */
export function mergeOf<A>(operator: string, { merge }: Pick<Fold<never, never, A>, 'merge'>, { name }: StoreShape): Merge<A> {
  if (merge !== undefined) return merge;
  throw new MillraceError(
    'CONFIG',
    `${operator}: the option merge is missing; a record may join two sessions of the store ${name}, so say what their aggregates become: merge: (a, b) => ...`,
    { where: { operator, store: name, option: 'merge' } },
  );
}
