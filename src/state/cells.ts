import { MillraceError } from '../errors/millrace-error';
import { type CellsOfStore, type CellValue, decodeCells, encodeCells, NUMBER_BYTES } from './cells-format';
import type { Cell } from './scope';

/** Characters that Kafka takes as the metadata of one offset (`offset.metadata.max.bytes`). */
const LIMIT = 4_096;

/** A store's place for what orders the metadata of several inputs; no store has this name, and watermarks have ''. */
const ORDER = '#';
const SEQUENCE = 'n';
/** Far from 0: a number of always as many bytes. */
const FIRST = 2 ** 42;
const ORDER_BYTES = 2 + 4 + 1 + 2 + NUMBER_BYTES;

/** What a text cell (a window's next key, say) is assumed to need when a topology is planned. */
const TEXT_BYTES = 256;

/** One cell in all its layers. The object operators hold is this one, for the life of the task. */
class LayeredCell<T extends CellValue> implements Cell<T> {
  value: T;
  checkpointed: T;
  sealed: T;
  committed: T;

  constructor(readonly initial: T) {
    this.value = this.checkpointed = this.sealed = this.committed = initial;
  }
}

/** A plan's cell, as planning meets it: what `worstCase` needs. */
export interface PlannedCell {
  readonly store: string;
  readonly name: string;
  readonly text: boolean;
}

/**
 * The cells of all stores of a task: small values that travel with the committed offsets, as their metadata, and so move with the
 * task and are restored before any record is read. Layers as of the stores: active with a checkpoint, sealed, committed.
 *
 * Cells that nobody has asked for are carried along, so that a rolling deploy can go back: a cell of a store this topology does not
 * have stays until the set of stores changes once more.
 */
export class CellTable {
  private readonly stores = new Map<string, Map<string, LayeredCell<CellValue>>>();
  /** From the metadata: cells that have not been asked for. */
  private carried = new Map<string, CellsOfStore>();
  private readonly plan: number;
  /** Of the last seal: of several inputs' metadata the one with the greatest is the latest. */
  private sequence = FIRST;
  private hasSealed = false;

  /** `stores`: names of all stores of the topology. */
  constructor(stores: readonly string[]) {
    this.plan = planOf(stores);
    for (const store of [...stores].sort()) this.stores.set(store, new Map());
  }

  cell<T extends CellValue>(store: string, name: string, initial: T): Cell<T> {
    const cells = this.cellsOf(store);
    let cell = cells.get(name) as LayeredCell<T> | undefined;
    if (cell === undefined) {
      cell = new LayeredCell(initial);
      const committed = this.carried.get(store)?.cells.get(name);
      if (committed !== undefined) setAll(cell, committed as T);
      cells.set(name, cell);
    }
    return cell;
  }

  checkpoint(): void {
    for (const cell of this.all()) cell.checkpointed = cell.value;
  }

  rollback(): void {
    for (const cell of this.all()) cell.value = cell.checkpointed;
  }

  /** Fixes what the next commit makes durable; gives it as offset metadata. @throws CELLS_TOO_LARGE, and then nothing is sealed */
  seal(): string {
    if (this.hasSealed) throw new Error('cells are sealed already');
    const order = { store: ORDER, carried: 0, cells: new Map([[SEQUENCE, this.sequence + 1]]) };
    const metadata = encodeCells([...this.image(), order]);
    if (metadata.length > LIMIT) throw tooLarge(metadata.length, this.sizes());
    this.sequence++;
    for (const cell of this.all()) cell.checkpointed = cell.sealed = cell.value;
    this.hasSealed = true;
    return metadata;
  }

  commit(): void {
    if (!this.hasSealed) return;
    this.hasSealed = false;
    for (const cell of this.all()) cell.committed = cell.sealed;
  }

  /** Back to what is committed. */
  abort(): void {
    this.hasSealed = false;
    for (const cell of this.all()) setAll(cell, cell.committed);
  }

  /** Takes what a committed offset carries; '' (a group's first start): every cell at its initial value. @throws PROTOCOL */
  restore(metadata: string): void {
    const committed = metadata === '' ? [] : decodeCells(metadata);
    this.hasSealed = false;
    this.sequence = sequenceOf(committed);
    this.carried = this.carriedFrom(committed.filter(({ store }) => store !== ORDER));
    for (const [store, cells] of this.stores) {
      const values = this.carried.get(store)?.cells;
      for (const [name, cell] of cells) setAll(cell, values?.get(name) ?? cell.initial);
    }
  }

  /** Keeps a store nobody here knows for one change of the set of stores. */
  private carriedFrom(committed: readonly CellsOfStore[]): Map<string, CellsOfStore> {
    const carried = new Map<string, CellsOfStore>();
    for (const found of committed) {
      if (this.stores.has(found.store)) carried.set(found.store, { ...found, carried: 0 });
      else if (found.carried === 0 || found.carried === this.plan) carried.set(found.store, { ...found, carried: this.plan });
    }
    return carried;
  }

  private image(): CellsOfStore[] {
    const stores: CellsOfStore[] = [];
    for (const [store, cells] of this.stores) {
      const values = new Map(this.carried.get(store)?.cells);
      for (const [name, cell] of cells) values.set(name, cell.value);
      if (values.size > 0) stores.push({ store, carried: 0, cells: values });
    }
    for (const carried of this.carried.values()) if (!this.stores.has(carried.store)) stores.push(carried);
    return stores;
  }

  private sizes(): ReadonlyMap<string, number> {
    return new Map(this.image().map((store) => [store.store, encodeCells([store]).length]));
  }

  private cellsOf(store: string): Map<string, LayeredCell<CellValue>> {
    let cells = this.stores.get(store);
    if (cells === undefined) this.stores.set(store, (cells = new Map<string, LayeredCell<CellValue>>()));
    return cells;
  }

  private *all(): Generator<LayeredCell<CellValue>, void> {
    for (const cells of this.stores.values()) yield* cells.values();
  }
}

function sequenceOf(stores: readonly CellsOfStore[]): number {
  const value = stores.find(({ store }) => store === ORDER)?.cells.get(SEQUENCE);
  return typeof value === 'number' ? value : FIRST;
}

/**
 * Of the metadata of a task's inputs the one that was committed last. A plan writes the same to all inputs it knows; one that was there before
 * or is there again in a rolling deploy may know others.
 *
 * @throws PROTOCOL for metadata that is none of ours, or of a later version
 */
export function latestCells(metadata: readonly string[]): string {
  const distinct = [...new Set(metadata)].filter((each) => each !== '');
  if (distinct.length < 2) return distinct[0] ?? '';
  const ordered = distinct.map((each) => ({ each, sequence: sequenceOf(decodeCells(each)) }));
  return ordered.reduce((latest, other) => (other.sequence > latest.sequence ? other : latest)).each;
}

/**
 * Base64 characters the cells of a plan take at most.
 * @throws CELLS_TOO_LARGE when that is more than an offset's metadata may have
 */
export function worstCaseSize(cells: readonly PlannedCell[], textBytes = TEXT_BYTES): number {
  const sizes = new Map<string, number>();
  for (const { store, name, text } of cells) {
    const before = sizes.get(store) ?? 2 + Buffer.byteLength(store) + 4 + 2;
    sizes.set(store, before + 2 + Buffer.byteLength(name) + (text ? textBytes + 3 : NUMBER_BYTES));
  }
  const bytes = [...sizes.values()].reduce((sum, size) => sum + size, 1 + 2 + ORDER_BYTES);
  const size = Math.ceil(bytes / 3) * 4;
  if (size > LIMIT) throw tooLarge(size, sizes);
  return size;
}

function setAll<T extends CellValue>(cell: LayeredCell<T>, value: T): void {
  cell.value = cell.checkpointed = cell.sealed = cell.committed = value;
}

/** FNV-1a of the sorted names; never 0. */
function planOf(stores: readonly string[]): number {
  let hash = 0x811c9dc5;
  for (const byte of Buffer.from([...stores].sort().join('\n'), 'utf8')) hash = Math.imul(hash ^ byte, 0x01000193) >>> 0;
  return hash === 0 ? 1 : hash;
}

function tooLarge(size: number, sizes: ReadonlyMap<string, number>): MillraceError {
  const largest = [...sizes].sort((a, b) => b[1] - a[1]).slice(0, 5);
  const named = largest.map(([store, bytes]) => `"${store}" (${bytes})`).join(', ');
  return new MillraceError(
    'CELLS_TOO_LARGE',
    `what the operators of a task remember beside their stores (stream times, marks) takes ${size} bytes, an offset's metadata takes ${LIMIT}; ` +
      `the largest: ${named}. Use shorter store names or keys, or split the topology`,
    { where: largest[0] === undefined ? {} : { store: largest[0][0] } },
  );
}
