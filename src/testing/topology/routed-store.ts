import { compareIdentity, identityOf } from '../../codec/identity';
import { partitionOf } from '../../kafka/partitioner';
import type { StoreShape } from '../../model/store-definition';

type Method = (key: unknown, ...rest: unknown[]) => unknown;
type Methods = Readonly<Record<string, Method>>;

export interface RoutedStoreOptions {
  readonly shape: StoreShape;
  /** What the tasks hold, by number. */
  readonly handles: readonly object[];
  /** Of the store's changelog: a key lies where murmur2 puts it among these. */
  readonly partitions: number;
  /** Before anything is looked at or written. */
  readonly check: () => void;
  /** A test has written to the store of this task. */
  readonly written: (task: number) => void;
}

const writing: ReadonlySet<string> = new Set(['put', 'delete', 'set', 'cancel']);

/**
 * One handle over the stores of all tasks. Every method takes the key first: it goes to the task that murmur2 gives the key to, and a
 * read that finds nothing there looks at the others, because `assumePlaced` may have put it anywhere. `range` walks all of them.
 */
export function routedStore(options: RoutedStoreOptions): object {
  const { shape, partitions, check, written } = options;
  const handles = options.handles as readonly Methods[];
  const ownerOf = (key: unknown): number => partitionOf(shape.key, key, shape.key.encode(key), partitions);
  const call = (name: string, task: number, args: readonly [unknown, ...unknown[]]): unknown => handles[task]?.[name]?.(...args);

  const write = (name: string, args: readonly [unknown, ...unknown[]]): void => {
    check();
    const owner = ownerOf(args[0]);
    call(name, owner, args);
    written(owner);
  };
  const read = (name: string, args: readonly [unknown, ...unknown[]]): unknown => {
    check();
    const owner = ownerOf(args[0]);
    const found = call(name, owner, args);
    if (!isNothing(found)) return found;
    for (let task = 0; task < handles.length; task++) {
      const elsewhere = task === owner ? undefined : call(name, task, args);
      if (!isNothing(elsewhere)) return elsewhere;
    }
    return found;
  };
  const range = (from: unknown, to: unknown): unknown => {
    check();
    return merged(shape, handles.map(({ range: ofTask }) => ofTask?.(from, to) as AsyncIterable<[unknown, unknown]>)); // prettier-ignore
  };

  const methods = Object.keys(handles[0] ?? {}).map((name): [string, unknown] => {
    if (name === 'range') return [name, range];
    return [name, (...args: [unknown, ...unknown[]]) => (writing.has(name) ? write(name, args) : read(name, args))];
  });
  return Object.fromEntries(methods);
}

function isNothing(found: unknown): boolean {
  return found === undefined || (Array.isArray(found) && found.length === 0);
}

/** Ascending by key bytes, whatever task a key lies in. */
async function* merged(shape: StoreShape, ranges: readonly AsyncIterable<[unknown, unknown]>[]): AsyncGenerator<[unknown, unknown], void> {
  const identity = identityOf(shape.key);
  const compare = compareIdentity(shape.key);
  const rows: { readonly identity: string; readonly row: [unknown, unknown] }[] = [];
  for (const range of ranges) for await (const row of range) rows.push({ identity: identity(row[0]), row });
  for (const { row } of rows.sort((a, b) => compare(a.identity, b.identity))) yield row;
}
