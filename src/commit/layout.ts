import { MillraceError } from '../errors/millrace-error';
import type { TopicPartition } from '../kafka/port';
import type { StoreShape } from '../model/store-definition';
import type { InternalTopic, Topic } from '../model/topic';
import type { Meeting, Plan, PlannedInput } from '../task/plan';
import { sourceKey } from '../task/assembly';
import { planWatermarks, type WatermarkPlan } from '../task/watermark-plan';

/** One input topic of the application as it is on the cluster. */
export interface InputTopic {
  /** Name on the cluster. */
  readonly topic: string;
  /** `sourceKey` of the handle it feeds. */
  readonly key: string;
  readonly internal: boolean;
  readonly declaration: Topic<unknown, unknown> | InternalTopic<unknown, unknown>;
  readonly partitions: number;
  /** A store is fed by it without a repartition between. */
  readonly feedsStore: boolean;
  readonly feedsTable: boolean;
  /** Inputs that it meets in operators, be it by way of others, and those that feed it through repartitions; by `key`. */
  readonly meets: readonly string[];
  readonly fedBy: readonly string[];
}

/** A topic the application creates and owns. */
export interface OwnedTopic {
  readonly topic: string;
  readonly partitions: number;
  readonly kind: 'changelog' | 'repartition';
}

/** A plan laid out on a cluster: which partitions each task reads, and what must exist. */
export interface Layout {
  /** In order of name. */
  readonly inputs: readonly InputTopic[];
  readonly owned: readonly OwnedTopic[];
  readonly tasks: number;
  readonly stores: readonly StoreShape[];
  /** Undefined: no topic is in watermark mode. */
  readonly watermarks: WatermarkPlan | undefined;
  /** Names of the repartition topics on the cluster, upstream before downstream. */
  readonly repartitionOrder: readonly string[];
  readonly changelogOf: (store: string) => string;
  readonly repartitionOf: (internalTopic: string) => string;
}

export function changelogName(applicationId: string, store: string): string {
  return `${applicationId}-${store}-changelog`;
}

export function repartitionName(applicationId: string, name: string): string {
  return `${applicationId}-${name}-repartition`;
}

/** The same string each time: a new one would have to be hashed for every record. */
function remembered(nameOf: (short: string) => string): (short: string) => string {
  const names = new Map<string, string>();
  return (short) => {
    let name = names.get(short);
    if (name === undefined) {
      name = nameOf(short);
      names.set(short, name);
    }
    return name;
  };
}

/** The input partitions of one task. */
export function partitionsOf(layout: Layout, task: number): TopicPartition[] {
  return layout.inputs.filter((input) => task < input.partitions).map(({ topic }) => ({ topic, partition: task }));
}

/**
 * @param counts partitions of every source topic, by name
 * @throws CO_PARTITION when inputs that meet have different counts
 */
export function layOut(plan: Plan, applicationId: string, counts: ReadonlyMap<string, number>): Layout {
  const partitions = new Map<string, number>();
  const countOf = (input: PlannedInput): number => partitions.get(sourceKey(input.name, input.internal)) ?? 0;
  for (const source of plan.sources) partitions.set(sourceKey(source.name, false), counts.get(source.name) ?? 0);
  const meets = meetingsOf(plan);
  for (const { topic } of plan.repartitions) {
    if (topic.partitions !== undefined) partitions.set(sourceKey(topic.name, true), topic.partitions);
  }
  for (const { topic } of plan.repartitions) {
    const key = sourceKey(topic.name, true);
    if (!partitions.has(key)) partitions.set(key, countOfInternal(plan, [key, ...meets(key)], partitions));
  }
  const nameOf = (input: PlannedInput): string => (input.internal ? repartitionName(applicationId, input.name) : input.name);
  for (const meeting of plan.meetings) checkCoPartitioned(meeting, countOf, nameOf);
  const tasks = Math.max(...partitions.values());
  const sourceTopicOf = new Map(plan.stores.map(({ name, sourceTopic }) => [name, sourceTopic]));
  const feeding = new Set(plan.meetings.flatMap(({ inputs }) => inputs.map(({ name, internal }) => sourceKey(name, internal))));
  const inputs = [
    ...plan.sources.map((declaration) => ({ declaration, internal: false })),
    ...plan.repartitions.map(({ topic }) => ({ declaration: topic, internal: true })),
  ].map(({ declaration, internal }): InputTopic => {
    const key = sourceKey(declaration.name, internal);
    const topic = internal ? repartitionName(applicationId, declaration.name) : declaration.name;
    const feedsStore = !internal && feeding.has(key);
    const feedsTable = !internal && plan.tables.includes(declaration.name);
    const partitionCount = partitions.get(key) ?? 0;
    return {
      topic,
      key,
      internal,
      declaration,
      partitions: partitionCount,
      feedsStore,
      feedsTable,
      meets: meets(key),
      fedBy: fedBy(plan, key),
    };
  });
  return {
    inputs: inputs.sort((a, b) => (a.topic < b.topic ? -1 : 1)),
    owned: [
      ...plan.repartitions.map(({ topic }) => owned('repartition', topic.name)),
      ...plan.stores.filter(({ sourceTopic }) => sourceTopic === undefined).map(({ name }) => owned('changelog', name)),
    ],
    tasks,
    stores: plan.stores,
    watermarks: planWatermarks(plan, countOf),
    repartitionOrder: plan.repartitions.map(({ topic }) => repartitionName(applicationId, topic.name)),
    changelogOf: remembered((store) => sourceTopicOf.get(store) ?? changelogName(applicationId, store)),
    repartitionOf: remembered((name) => repartitionName(applicationId, name)),
  };

  function owned(kind: OwnedTopic['kind'], name: string): OwnedTopic {
    if (kind === 'repartition') {
      return { topic: repartitionName(applicationId, name), kind, partitions: partitions.get(sourceKey(name, true)) ?? tasks };
    }
    const meeting = plan.meetings.find((each) => each.kind === 'store' && each.name === name);
    const fed = Math.max(0, ...(meeting?.inputs ?? []).map(countOf));
    return { topic: changelogName(applicationId, name), kind, partitions: fed > 0 ? fed : tasks };
  }
}

/**
 * Of an internal topic that leaves its number of partitions open: that of what it meets, or, where that is open for all of them, the greatest
 * of what feeds them.
 *
 * @param together keys of the topic itself and of all it meets
 */
function countOfInternal(plan: Plan, together: readonly string[], partitions: ReadonlyMap<string, number>): number {
  const known = together.flatMap((key) => partitions.get(key) ?? []);
  if (known.length > 0) return Math.max(...known);
  const feeding = plan.repartitions
    .filter(({ topic }) => together.includes(sourceKey(topic.name, true)))
    .flatMap(({ upstream }) => upstream);
  return Math.max(1, ...feeding.map(({ name, internal }) => partitions.get(sourceKey(name, internal)) ?? 0));
}

/** Gives the inputs that must be read in order of time with one: those that meet it, those that meet these, and so on. */
function meetingsOf(plan: Plan): (key: string) => readonly string[] {
  const groups: Set<string>[] = [];
  for (const { inputs } of plan.meetings) {
    const group = new Set(inputs.map(({ name, internal }) => sourceKey(name, internal)));
    for (let at = groups.length - 1; at >= 0; at--) {
      const other = groups[at] as Set<string>;
      if (![...other].some((key) => group.has(key))) continue;
      for (const key of other) group.add(key);
      groups.splice(at, 1);
    }
    groups.push(group);
  }
  return (key) => [...(groups.find((group) => group.has(key)) ?? [])].filter((other) => other !== key);
}

/** Everything upstream of an internal topic, behind other repartitions too. */
function fedBy(plan: Plan, key: string): readonly string[] {
  const found = new Set<string>();
  const visit = (at: string): void => {
    const upstream = plan.repartitions.find(({ topic }) => sourceKey(topic.name, true) === at)?.upstream ?? [];
    for (const { name, internal } of upstream) {
      const next = sourceKey(name, internal);
      if (found.has(next)) continue;
      found.add(next);
      visit(next);
    }
  };
  visit(key);
  return [...found];
}

function checkCoPartitioned(
  { inputs, operator, kind, name }: Meeting,
  countOf: (input: PlannedInput) => number,
  nameOf: (input: PlannedInput) => string,
): void {
  const [first, ...others] = inputs;
  if (first === undefined) return;
  const other = others.find((input) => countOf(input) !== countOf(first));
  if (other === undefined) return;
  const said = [first, other].map((input) => `"${nameOf(input)}" (${String(countOf(input))} partitions)`).join(' and ');
  throw new MillraceError(
    'CO_PARTITION',
    `${said} meet in ${operator} on ${kind === 'join' ? 'table' : 'store'} "${name}", so equal keys may lie in different tasks. ` +
      'Put repartition() with one internal topic before it on either side, or create the topics with equal partition counts',
    { where: { operator, ...(kind === 'store' && { store: name }), topic: nameOf(first) } },
  );
}
