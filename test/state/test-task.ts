import { Observable } from 'rxjs';
import { noOrigin } from '../../src/model/origin';
import type { Logger } from '../../src/model/logger';
import type { StoreShape } from '../../src/model/store-definition';
import { CellTable } from '../../src/state/cells';
import {
  type KeyValueHandle,
  type KeyValueRuntime,
  type RowRuntime,
  runtime,
  type SessionHandle,
  type WindowHandle,
  type WindowRuntime,
} from '../../src/state/handle';
import { restoreStores, type RestoreResult } from '../../src/state/restore';
import { StreamTime } from '../../src/state/event-time';
import type { Scope } from '../../src/state/scope';
import { openTaskStores, type TaskStores, type TaskStoresOptions } from '../../src/state/task-stores';
import { type ManualClock, manualClock } from '../../src/time/manual-clock';
import { ChangelogModel, type ChangelogRecord, readFrom } from './changelog-model';
import { FakeDisk } from './fake-disk';

export const CLUSTER = 'cluster-1';

export function scopeOver(cells: CellTable): Scope {
  return {
    partition: 0,
    origin: noOrigin,
    timestamp: 0,
    wallTime: 0,
    failed: false,
    cell: (store, name, initial) => cells.cell(store, name, initial),
    eventTime: (store, _advanced, name = 'streamTime') => new StreamTime(cells.cell(store, name, -1)),
    counter: () => ({ value: 0 }),
    begin: () => true,
    end: () => undefined,
    repartition: () => () => new Observable(),
    drive: () => undefined,
    wakeAt: () => undefined,
    hold: () => undefined,
    letGo: () => undefined,
  };
}

export interface LoggedLine {
  readonly level: 'debug' | 'info' | 'warn' | 'error';
  readonly message: string;
}

export function recordingLogger(lines: LoggedLine[]): Logger {
  const at = (level: LoggedLine['level']) => (_: object, message: string) => void lines.push({ level, message });
  return { debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') };
}

/** One task's stores and cells with what lies around them: a disk, changelogs, committed metadata, and a process that can die. */
export class TestTask {
  readonly disk = new FakeDisk();
  readonly clock: ManualClock = manualClock();
  readonly changelogs: readonly ChangelogModel[];
  readonly lines: LoggedLine[] = [];
  /** What the committed offset carries. */
  metadata = '';
  stores!: TaskStores;
  cells!: CellTable;
  /** What the last seal has appended, by store. */
  sealed = new Map<string, ChangelogRecord[]>();
  private sealedMetadata = '';
  /** The sealed layer's transaction has committed, whether or not the stores have heard of it. */
  private decided = false;

  constructor(
    readonly shapes: readonly StoreShape[],
    private readonly options: Partial<TaskStoresOptions> = {},
  ) {
    this.changelogs = shapes.map(({ name }) => new ChangelogModel(name));
  }

  /** A process opens what is on disk and restores the rest. */
  async start(): Promise<RestoreResult> {
    await this.open();
    return this.restore();
  }

  async open(): Promise<void> {
    this.cells = new CellTable(this.shapes.map(({ name }) => name));
    this.stores = await openTaskStores({
      shapes: this.shapes,
      partition: 0,
      directory: '/nowhere',
      openBytes: this.disk.open,
      scope: scopeOver(this.cells),
      clock: this.clock,
      logger: recordingLogger(this.lines),
      ...this.options,
    });
  }

  async restore(clusterId = CLUSTER): Promise<RestoreResult> {
    const result = await restoreStores({
      stores: this.stores,
      clusterId,
      changelogs: this.changelogs.map((changelog) => changelog.describe()),
      read: readFrom(this.changelogs),
      clock: this.clock,
      logger: recordingLogger(this.lines),
    });
    this.cells.restore(this.metadata);
    return result;
  }

  seal(): void {
    this.sealed = new Map();
    this.stores.seal((store, key, value, timestamp) => {
      const records = this.sealed.get(store) ?? [];
      this.sealed.set(store, records);
      records.push({
        key: Uint8Array.from(key),
        value: typeof value === 'string' || value === null ? value : Uint8Array.from(value),
        timestamp,
      });
    });
    this.sealedMetadata = this.cells.seal();
    this.decided = false;
  }

  /** The broker's part of a commit: EndTxn was answered 0. */
  decide(): Map<string, number> {
    const positions = new Map<string, number>();
    for (const changelog of this.changelogs) {
      const records = this.sealed.get(changelog.store) ?? [];
      if (records.length > 0) positions.set(changelog.store, changelog.commit(records));
    }
    this.metadata = this.sealedMetadata;
    this.decided = true;
    return positions;
  }

  committed(): void {
    this.stores.committed(this.decide());
    this.cells.commit();
  }

  commit(): void {
    this.seal();
    this.committed();
  }

  abort(): void {
    for (const changelog of this.changelogs) changelog.abort(this.stores.hasSealed ? (this.sealed.get(changelog.store)?.length ?? 0) : 0);
    this.stores.abort();
    this.cells.abort();
  }

  /** The process dies, with the first `survivors` of the writes under way on disk; another takes over. */
  async crash(survivors = 0): Promise<RestoreResult> {
    if (this.stores.hasSealed && !this.decided)
      for (const changelog of this.changelogs) changelog.abort(this.sealed.get(changelog.store)?.length ?? 0);
    await this.disk.crash(survivors);
    return this.start();
  }

  keyValue<K, A>(name: string): KeyValueRuntime<K, A> {
    return (this.stores.handle(name) as unknown as KeyValueHandle<K, A>)[runtime];
  }

  rows<K, A>(name: string): RowRuntime<K, A> {
    return (this.stores.handle(name) as unknown as SessionHandle<K, A>)[runtime];
  }

  window<K, A>(name: string): WindowRuntime<K, A> {
    return (this.stores.handle(name) as unknown as WindowHandle<K, A>)[runtime];
  }
}
