import { Observable, Subject, type OperatorFunction, type SchedulerLike, type Subscription } from 'rxjs';
import { MillraceError } from '../errors/millrace-error';
import type { Duration } from '../model/duration';
import type { Outgoing } from '../model/outgoing';
import type { KafkaRecord, Placement } from '../model/record';
import type { StoreDefinition } from '../model/store-definition';
import type { Table, TableOptions } from '../model/table';
import type { InternalTopic, Topic } from '../model/topic';
import { keepVersions } from '../../operators/table/keep-versions';
import { type FindRow, globalTableOver } from '../../operators/table/global-table';
import { materialize, passOn } from '../../operators/table/materialize';
import { type KeyValueHandle, runtime } from '../state/handle';
import { assembleIn, type FlightControl } from '../state/in-flight';
import type { Scope } from '../state/scope';
import { tableStore, tableVersionsStore } from '../state/table';
import { isHistory } from '../state/versioned-definition';
import type { VersionedHandle } from '../state/versioned-entries';
import { subscribeAs, type WiringNode } from '../state/wiring';
import type { Task, Topology } from './topology';

type AnyRecord = KafkaRecord<unknown, unknown, Placement>;

/** What an assembly stands on: a running task, or the planner. */
export interface AssemblyHost {
  readonly clock: SchedulerLike;
  store(definition: StoreDefinition<unknown>): unknown;
  /** A record on its way through an internal topic; what it throws goes to the assembly's error channel. */
  /** The rows of a global table. */
  globalRows(topic: Topic<unknown, unknown>): FindRow;
  /** For tables that have no store. */
  readonly scope: Scope;
  /** For operators that have neither store nor table. */
  readonly flights: FlightControl;
  forward(topic: InternalTopic<unknown, unknown>, key: unknown, record: AnyRecord): void;
  /** A source was subscribed to, while assembling or later. */
  reached(source: Source, whileAssembling: boolean): void;
}

/** One input of a task: what the loop pushes into. */
export interface Source {
  readonly topic: Topic<unknown, unknown> | InternalTopic<unknown, unknown>;
  readonly internal: boolean;
  readonly subject: Subject<KafkaRecord<unknown, unknown>>;
  /** A null value is the deletion of a row, whatever the codec says of nulls. */
  feedsTable: boolean;
  feedsStream: boolean;
  /** Subscriptions there are, and there were when it had been assembled: where one has left, records would be lost. */
  subscriptions: number;
  assembled: number;
}

/** A table of a topic, as it was asked for. */
interface MadeTable {
  readonly materialized: boolean;
  readonly history: Duration | undefined;
  readonly handle: unknown;
}

/** Sources by `sourceKey`; topics and internal topics have names of their own. */
export function sourceKey(name: string, internal: boolean): string {
  return internal ? `internal ${name}` : `topic ${name}`;
}

/**
 * One assembly of a topology: new source subjects each time, so that nothing of an earlier one (a `shareReplay`, say) is alive in it.
 * Handles may be asked for only until `assemble` returns.
 */
export class Assembly implements Task {
  readonly sources = new Map<string, Source>();
  readonly clock: SchedulerLike;
  private readonly observables = new Map<string, Observable<unknown>>();
  private readonly stores = new Map<string, { readonly definition: unknown; readonly handle: unknown }>();
  private readonly tables = new Map<string, MadeTable>();
  private readonly globalTables = new Map<string, Table<unknown, unknown>>();
  /** Tables whose rows somebody takes back, by the name of their store. */
  readonly takenBack = new Set<string>();
  private readonly ownTopics = new Set<string>();
  private assembling = true;

  constructor(private readonly host: AssemblyHost) {
    this.clock = host.clock;
  }

  /** Runs the topology and subscribes once. Errors of assembly are thrown, those of later pushes go to `error`. */
  assemble(topology: Topology, next: (outgoing: Outgoing) => void, error: (cause: unknown) => void): Subscription {
    let failure: { cause: unknown } | undefined;
    const observer = {
      next,
      error: (cause: unknown) => {
        if (this.assembling) failure = { cause };
        else error(cause);
      },
    };
    const subscription = assembleIn(this.host.flights, () => topology(this).subscribe(observer));
    this.assembling = false;
    for (const source of this.sources.values()) source.assembled = Math.max(1, source.subscriptions);
    if (failure !== undefined) throw asError(failure.cause);
    return subscription;
  }

  readonly stream = <K, V>(topic: Topic<K, V>): Observable<KafkaRecord<K, V>> => {
    this.assertAssembling('stream');
    const of = topic as unknown as Topic<unknown, unknown>;
    const observable = this.observe(of, false) as Observable<KafkaRecord<K, V>>;
    this.sourceOf(of).feedsStream = true;
    return observable;
  };

  readonly table = <K, V>(topic: Topic<K, V>, options: TableOptions = {}): Table<K, NonNullable<V>> => {
    this.assertAssembling('table');
    const { materialized = true, history } = options;
    const known = this.tables.get(topic.name);
    if (known === undefined) {
      const handle = this.newTable(topic as unknown as Topic<unknown, unknown>, materialized, history);
      this.tables.set(topic.name, { materialized, history, handle });
      return handle as Table<K, NonNullable<V>>;
    }
    if (known.materialized !== materialized) throw tableError(topic.name, 'is asked for with rows and without; one is enough');
    if (known.history === history) return known.handle as Table<K, NonNullable<V>>;
    throw tableError(topic.name, `is asked for with a history of ${String(known.history)} and of ${String(history)}; one is enough`);
  };

  readonly globalTable = <K, V>(topic: Topic<K, V>): Table<K, NonNullable<V>> => {
    this.assertAssembling('globalTable');
    const of = topic as unknown as Topic<unknown, unknown>;
    let handle = this.globalTables.get(topic.name);
    if (handle === undefined) {
      handle = globalTableOver(topic.name, this.host.scope, this.host.globalRows(of));
      this.globalTables.set(topic.name, handle);
    }
    return handle as Table<K, NonNullable<V>>;
  };

  private newTable(topic: Topic<unknown, unknown>, materialized: boolean, history: Duration | undefined): Table<unknown, unknown> {
    checkHistory(topic.name, materialized, history);
    const records = this.observe(topic, false);
    this.sourceOf(topic).feedsTable = true;
    if (!materialized) return passOn('table', topic.name, records, this.host.scope);
    if (history !== undefined) {
      const versions = (this.store(tableVersionsStore(topic, history)) as unknown as VersionedHandle<unknown, unknown>)[runtime];
      return keepVersions('table', topic.name, records, versions);
    }
    const definition = tableStore(topic);
    const store = (this.store(definition) as unknown as KeyValueHandle<unknown, unknown>)[runtime];
    return materialize('table', records, store, () => this.takenBack.add(definition.name));
  }

  private sourceOf(topic: Topic<unknown, unknown>): Source {
    return this.sources.get(sourceKey(topic.name, false)) as Source;
  }

  readonly store = <S>(definition: StoreDefinition<S>): S => {
    this.assertAssembling('store');
    const known = this.stores.get(definition.name);
    if (known !== undefined) {
      if (known.definition === definition) return known.handle as S;
      throw new MillraceError('STORE_IN_USE', `two stores are named "${definition.name}"; every store has a name of its own`, {
        where: { store: definition.name },
      });
    }
    const handle = this.host.store(definition);
    this.stores.set(definition.name, { definition, handle });
    return handle as S;
  };

  readonly repartition = ((topic: InternalTopic<unknown, unknown>, key?: (value: unknown, record: AnyRecord) => unknown) => {
    this.assertAssembling('repartition');
    const incoming = this.observe(topic, true);
    const node: WiringNode = { kind: 'repartition', name: topic.name, operator: 'repartition' };
    return (source: Observable<AnyRecord>) => {
      const output: Observable<KafkaRecord<unknown, unknown>> = new Observable((subscriber) => {
        subscriber.add(incoming.subscribe(subscriber));
        const observer = {
          next: (record: AnyRecord): void => {
            try {
              this.host.forward(topic, key === undefined ? record.key : key(record.value, record), record);
            } catch (cause) {
              subscriber.error(cause);
            }
          },
          error: (cause: unknown): void => {
            subscriber.error(cause);
          },
        };
        return subscribeAs(node, source, () => source.subscribe(observer), output);
      });
      return output;
    };
  }) as Task['repartition'] & ((topic: InternalTopic<unknown, unknown>) => OperatorFunction<AnyRecord, KafkaRecord<unknown, unknown>>);

  /**
   * For an operator's own internal topic: whatever came there from others it would take for its own.
   *
   * @param store it is named after this one
   * @throws CONFIG at a second use; STORE_IN_USE, if it is that of a store
   */
  repartitionAlone<K, V>(topic: InternalTopic<K, V>, store?: string): OperatorFunction<KafkaRecord<K, V, Placement>, KafkaRecord<K, V>> {
    const through = this.repartition(topic);
    if (this.ownTopics.has(topic.name)) throw usedTwice(topic.name, store);
    this.ownTopics.add(topic.name);
    return through;
  }

  private observe(topic: Source['topic'], internal: boolean): Observable<KafkaRecord<unknown, unknown>> {
    const key = sourceKey(topic.name, internal);
    const known = this.observables.get(key);
    if (known !== undefined) {
      this.assertSame(topic, internal);
      return known as Observable<KafkaRecord<unknown, unknown>>;
    }
    const source: Source = {
      topic,
      internal,
      subject: new Subject(),
      feedsTable: false,
      feedsStream: false,
      subscriptions: 0,
      assembled: 1,
    };
    const observable: Observable<KafkaRecord<unknown, unknown>> = new Observable((subscriber) => {
      const subscribe = (): Subscription => {
        this.host.reached(source, this.assembling);
        source.subscriptions++;
        subscriber.add(() => source.subscriptions--);
        return source.subject.subscribe(subscriber);
      };
      if (internal) return subscribe();
      return subscribeAs({ kind: 'operator', name: topic.name, operator: 'stream' }, source.subject, subscribe, observable);
    });
    this.sources.set(key, source);
    this.observables.set(key, observable);
    return observable;
  }

  /** Two declarations with one name could have different codecs; those of topics of the user's are the user's business. */
  private assertSame(topic: Source['topic'], internal: boolean): void {
    if (!internal || this.sources.get(sourceKey(topic.name, true))?.topic === topic) return;
    throw new MillraceError('CONFIG', `two internal topics are named "${topic.name}"; declare one, and use it wherever it is meant`, {
      where: { topic: topic.name },
    });
  }

  private assertAssembling(handle: string): void {
    if (this.assembling) return;
    throw new MillraceError(
      'ASSEMBLY_ONLY',
      `task.${handle} was called after the topology had been assembled; ask for every handle while the topology function runs`,
    );
  }
}

function usedTwice(topic: string, store: string | undefined): MillraceError {
  const instead = 'which would take the rows of each other; declare one for each';
  return store === undefined
    ? new MillraceError('CONFIG', `the internal topic "${topic}" is used by two operators, ${instead}`, { where: { topic } })
    : new MillraceError('STORE_IN_USE', `store "${store}" is used by two operators, ${instead}`, { where: { store } });
}

/** @throws CONFIG */
function checkHistory(topic: string, materialized: boolean, history: Duration | undefined): void {
  if (history === undefined) return;
  if (!isHistory(history)) throw tableError(topic, `has the history ${String(history)}; it must be a whole number of ms > 0, or left out`);
  if (!materialized) throw tableError(topic, 'cannot have a history without rows; leave out materialized: false');
}

function tableError(topic: string, problem: string): MillraceError {
  return new MillraceError('CONFIG', `the table of topic "${topic}" ${problem}`, { where: { topic } });
}

function asError(cause: unknown): Error {
  if (cause instanceof Error) return cause;
  return new MillraceError('PROCESSING', 'the topology failed while it was assembled', { cause });
}
