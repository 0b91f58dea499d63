import { MillraceError } from '../errors/millrace-error';
import type { Topic, InternalTopic } from '../model/topic';
import type { StoreDefinition, StoreShape } from '../model/store-definition';
import { noOrigin } from '../model/origin';
import { takesNull } from '../codec/nullable';
import { runtime } from '../state/handle';
import { StreamTime } from '../state/event-time';
import { FlightsOutsideTask } from '../state/flights-outside-task';
import type { Cell, Scope } from '../state/scope';
import { listenToWiring } from '../state/wiring';
import { Assembly, sourceKey, type AssemblyHost, type Source } from './assembly';
import { feedsOf, PlanGraph, rootsOf, type GraphNode } from './plan-graph';
import { silentStore } from './silent-store';
import { TaskClock } from './task-clock';
import type { Topology } from './topology';
import type { Clock } from '../time/clock';

/** One stateful operator with the topics that meet in it. */
export interface Meeting {
  readonly operator: string;
  /** A `join` has no store of its own: it looks up in a table. */
  readonly kind: 'store' | 'join';
  /** Name of the store or of the table. */
  readonly name: string;
  readonly inputs: readonly PlannedInput[];
}
export interface PlannedInput {
  readonly name: string;
  readonly internal: boolean;
}
export interface PlannedRepartition {
  readonly topic: InternalTopic<unknown, unknown>;
  readonly upstream: readonly PlannedInput[];
}

/** What a store's operator, or a repartition, is fed by within its task: what its event time follows from. */
export interface PlannedFeed {
  readonly kind: 'store' | 'repartition';
  readonly name: string;
  /** Topics that reach it without passing a store. */
  readonly inputs: readonly PlannedInput[];
  readonly stores: readonly string[];
}

/** What a topology needs of the cluster and the machine, found by subscribing it once to silent sources. */
export interface Plan {
  readonly sources: readonly Topic<unknown, unknown>[];
  /** Upstream before downstream. */
  readonly repartitions: readonly PlannedRepartition[];
  readonly stores: readonly StoreShape[];
  readonly sinks: readonly string[];
  /** Topics of global tables. */
  readonly globals: readonly Topic<unknown, unknown>[];
  /** Topics that feed tables: a null value of theirs deletes. */
  readonly tables: readonly string[];
  readonly meetings: readonly Meeting[];
  /** One entry for each subscription of a store or a repartition. */
  readonly feeds: readonly PlannedFeed[];
  /** Cells asked for, to bound the size of the offset metadata. */
  readonly cells: readonly { readonly store: string; readonly name: string; readonly text: boolean }[];
}

/** @throws NO_INPUT, NO_SUBSCRIBERS, STORE_IN_USE and whatever the topology throws. */
export function planTopology(topology: Topology, clock: Clock): Plan {
  const graph = new PlanGraph();
  const host = new PlanningHost(graph, clock);
  const assembly = new Assembly(host);
  host.assembly = assembly;
  const subscription = listenToWiring(graph, () => assembly.assemble(topology, ignore, ignore));
  const unused = [...assembly.sources.values()].filter((source) => !source.subject.observed);
  subscription.unsubscribe();
  checkTables(graph, assembly.sources.values());
  return {
    sources: sourcesOf(assembly, unused),
    repartitions: inOrder(graph.nodes.filter((node) => node.kind === 'repartition').map((node) => repartitionOf(node, assembly))),
    stores: host.shapes.map((shape) => (assembly.takenBack.has(shape.name) ? withOwnChangelog(shape) : shape)),
    sinks: [...new Set(graph.nodes.flatMap((node) => (node.kind === 'sink' ? (node.wiring?.topics ?? []).map(nameOf) : [])))],
    globals: host.globals,
    tables: [...assembly.sources.values()].filter(({ feedsTable }) => feedsTable).map(({ topic }) => topic.name),
    meetings: graph.nodes.flatMap((node) => (node.kind === 'store' || node.kind === 'join' ? [meetingOf(node, node.kind)] : [])),
    feeds: graph.nodes.flatMap((node) => (node.kind === 'store' || node.kind === 'repartition' ? [feedOf(node, node.kind)] : [])),
    cells: host.cells,
  };
}

function sourcesOf(assembly: Assembly, unused: readonly Source[]): Topic<unknown, unknown>[] {
  const [first] = unused;
  if (first !== undefined) {
    throw new MillraceError(
      'NO_SUBSCRIBERS',
      `${unused.map((source) => `"${source.topic.name}"`).join(', ')} is asked for with task.stream or repartition but nobody subscribes to it; return it, or leave it out`,
      { where: { topic: first.topic.name } },
    );
  }
  const sources = [...assembly.sources.values()]
    .filter((source) => !source.internal)
    .map((source) => source.topic as Topic<unknown, unknown>);
  if (sources.length > 0) return sources;
  throw new MillraceError('NO_INPUT', 'the topology reads no partitioned topic: without an input there are no tasks; use task.stream');
}

function repartitionOf(node: GraphNode, assembly: Assembly): PlannedRepartition {
  const source = assembly.sources.get(sourceKey(node.name, true));
  if (source === undefined) throw new Error(`repartition ${node.name} has no source`);
  return { topic: source.topic as InternalTopic<unknown, unknown>, upstream: [...rootsOf(node)].map(inputOf) };
}

/** Upstream first; one entry a topic, with the upstream of all its writers. */
function inOrder(found: readonly PlannedRepartition[]): PlannedRepartition[] {
  const byName = new Map<string, PlannedRepartition>();
  for (const { topic, upstream } of found) {
    const before = byName.get(topic.name)?.upstream ?? [];
    const added = upstream.filter((input) => !before.some((known) => known.name === input.name && known.internal === input.internal));
    byName.set(topic.name, { topic, upstream: [...before, ...added] });
  }
  const ordered: PlannedRepartition[] = [];
  const visiting = new Set<string>();
  const visit = (repartition: PlannedRepartition): void => {
    if (visiting.has(repartition.topic.name)) return;
    visiting.add(repartition.topic.name);
    for (const input of repartition.upstream) {
      const above = input.internal ? byName.get(input.name) : undefined;
      if (above !== undefined) visit(above);
    }
    ordered.push(repartition);
  };
  for (const repartition of byName.values()) visit(repartition);
  return ordered;
}

function meetingOf(node: GraphNode, kind: Meeting['kind']): Meeting {
  return { operator: node.operator, kind, name: node.name, inputs: [...rootsOf(node)].map(inputOf) };
}

function withOwnChangelog({ sourceTopic, ...shape }: StoreShape): StoreShape {
  return sourceTopic === undefined ? shape : { ...shape, copyOf: sourceTopic };
}

/** @throws NO_SUBSCRIBERS, NULL_VALUE */
function checkTables(graph: PlanGraph, sources: Iterable<Source>): void {
  for (const [store, operator] of graph.announced) {
    if (graph.nodes.some((node) => node.kind === 'store' && node.name === store)) continue;
    throw new MillraceError(
      'NO_SUBSCRIBERS',
      `${operator} over store "${store}" makes a table that nobody uses; join with it, or leave it out`,
      {
        where: { store, operator },
      },
    );
  }
  for (const { topic, feedsTable, feedsStream } of sources) {
    if (!feedsTable || !feedsStream || takesNull(topic.value)) continue;
    throw new MillraceError(
      'CONFIG',
      `topic "${topic.name}" is read both as a table and as a stream: its nulls delete rows, but as values no codec of it takes them; declare value: nullable(…)`,
      { where: { topic: topic.name } },
    );
  }
}

function feedOf(node: GraphNode, kind: PlannedFeed['kind']): PlannedFeed {
  const feeds = [...feedsOf(node)];
  const stores = feeds.filter((each) => each.kind === 'store').map(({ name }) => name);
  return { kind, name: node.name, inputs: feeds.filter((each) => each.kind !== 'store').map(inputOf), stores };
}

function inputOf(node: GraphNode): PlannedInput {
  return { name: node.name, internal: node.kind === 'repartition' };
}

function nameOf(topic: unknown): string {
  return (topic as { name: string }).name;
}

const ignore = (): undefined => undefined;

/** Gives handles that can be subscribed but never hold anything. */
class PlanningHost implements AssemblyHost {
  readonly clock: TaskClock;
  readonly shapes: StoreShape[] = [];
  readonly globals: Topic<unknown, unknown>[] = [];
  readonly cells: { store: string; name: string; text: boolean }[] = [];
  readonly scope: Scope;
  readonly flights = new FlightsOutsideTask();
  /** The one that stands on this. */
  assembly: Assembly | undefined;

  constructor(
    private readonly graph: PlanGraph,
    clock: Clock,
  ) {
    this.clock = new TaskClock(clock, ignore);
    const cells = this.cells;
    const scope: Scope = {
      partition: -1,
      origin: noOrigin,
      timestamp: 0,
      wallTime: 0,
      failed: false,
      cell<T extends number | string>(store: string, name: string, initial: T): Cell<T> {
        cells.push({ store, name, text: typeof initial === 'string' });
        return { value: initial };
      },
      eventTime: (store, _advanced, name = 'streamTime') => new StreamTime(scope.cell(store, name, -1)),
      counter: () => ({ value: 0 }),
      repartition: (topic, store) => this.assembly!.repartitionAlone(topic, store),
      begin: () => false,
      end: ignore,
      drive: ignore,
      wakeAt: ignore,
      hold: ignore,
      letGo: ignore,
    };
    this.scope = scope;
  }

  store(definition: StoreDefinition<unknown>): unknown {
    const { shape } = definition as unknown as { shape: StoreShape };
    this.shapes.push(shape);
    return { [runtime]: silentStore(shape, this.scope) };
  }

  globalRows(topic: Topic<unknown, unknown>): () => undefined {
    this.globals.push(topic);
    return ignore;
  }

  forward(): void {
    throw new Error('nothing is pushed while planning');
  }

  reached(source: Source): void {
    this.graph.reached(source);
  }
}
