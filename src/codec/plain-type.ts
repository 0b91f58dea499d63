import * as t from 'io-ts';

/*
 * `decode` of io-ts makes a context for each property, to be able to explain a failure: three times the cost of `is`. For a type that only
 * checks, both say the same, and `decode` gives the very value it was given.
 *
 * Tags alone do not tell such types: others are made of them by replacing `validate` (io-ts-types' `withFallback`). So what decides is
 * that `is` and `validate` are those which io-ts' own combinators make; of any other type nothing is assumed.
 */

const leaves: ReadonlySet<unknown> = new Set([t.string, t.number, t.boolean, t.null]);

const combined: readonly t.Any[] = [
  t.type({}),
  t.partial({}),
  t.array(t.string),
  t.literal(''),
  t.keyof({ a: null }),
  t.union([t.string, t.number]),
  t.union([t.type({ kind: t.literal('a') }), t.type({ kind: t.literal('b') })]),
  t.intersection([t.type({}), t.type({})]),
];

const known: ReadonlySet<string> = new Set(combined.map(sourceOf));

/** True only of types whose `is` decides what their `decode` does, and whose `decode` changes nothing. */
export function isPlain(type: t.Mixed): boolean {
  if (leaves.has(type)) return true;
  return known.has(sourceOf(type)) && partsOf(type).every(isPlain);
}

/** What a combinator was given: types in `props`, `types` or `type`. */
function partsOf(type: t.Mixed): t.Mixed[] {
  const { props, types, type: item } = type as { readonly props?: t.Props; readonly types?: t.Mixed[]; readonly type?: t.Mixed };
  return [...Object.values(props ?? {}), ...(types ?? []), ...(item === undefined ? [] : [item])];
}

function sourceOf({ is, validate }: t.Any): string {
  return `${String(is)} ${String(validate)}`;
}
