import type { Duration } from '../model/duration';
import type { Topic } from '../model/topic';
import type { PlannedCell } from '../state/cells';
import { sourceKey } from './assembly';
import type { Plan, PlannedFeed, PlannedInput } from './plan';

/** What a place of the topology is fed by directly: inputs by `sourceKey`, stores by name. */
export interface Feeds {
  readonly inputs: readonly string[];
  readonly stores: readonly string[];
}

/** An input whose watermark is kept. */
export interface WatermarkInput {
  /** `sourceKey`. */
  readonly key: string;
  readonly outOfOrderness: Duration;
  /** Undefined: it is never idle of its own accord. */
  readonly idleAfter: Duration | undefined;
  /** Tasks that write to it if it is a repartition topic: all of them count. 0: a topic that others write. */
  readonly upstreamTasks: number;
}

/** The operator of a store that goes by the watermark, or that lies before one that does. */
export interface WatermarkOperator {
  readonly store: string;
  readonly feeds: Feeds;
  /** False: none of its inputs is in watermark mode; it goes by stream time, and what follows it by the watermark. */
  readonly byWatermark: boolean;
}

export interface WatermarkRepartition {
  /** Name of the internal topic. */
  readonly name: string;
  readonly feeds: Feeds;
}

/** Which watermarks a topology needs. */
export interface WatermarkPlan {
  readonly inputs: readonly WatermarkInput[];
  /** Upstream before downstream; else in the order of subscription. */
  readonly operators: readonly WatermarkOperator[];
  readonly repartitions: readonly WatermarkRepartition[];
}

/** The pseudo store whose cells hold the inputs' watermarks; no store has this name. */
export const WATERMARK_CELLS = '';

/** Beyond it only the least of the upstream tasks' watermarks is kept; within what planning assumes for a text cell. */
export const UPSTREAM_CELL_BYTES = 240;

/**
 * An operator goes by the watermark if any input that reaches it is in watermark mode, be it in front of a repartition. All its inputs
 * count then: those without options have an out-of-orderness of 0 and are never idle. What no input reaches visibly (records that came by a
 * Subject: the late ones, say) goes by stream time.
 *
 * @param countOf partitions of an input
 * @returns undefined when no topic is in watermark mode
 */
export function planWatermarks(plan: Plan, countOf: (input: PlannedInput) => number): WatermarkPlan | undefined {
  return plan.sources.some(({ options }) => options.watermark !== undefined) ? new WatermarkPlanning(plan, countOf).plan() : undefined;
}

/** The cells that the inputs' watermarks take. */
export function watermarkCells(watermarks: WatermarkPlan | undefined): readonly PlannedCell[] {
  return (watermarks?.inputs ?? []).map(({ key, upstreamTasks }) => ({ store: WATERMARK_CELLS, name: key, text: upstreamTasks > 0 }));
}

class WatermarkPlanning {
  private readonly sources: ReadonlyMap<string, Topic<unknown, unknown>>;
  private readonly feeds: ReadonlyMap<string, PlannedFeed>;
  private readonly inMode = new Map<string, boolean>();
  private readonly operators = new Map<string, WatermarkOperator>();
  private readonly inputs = new Map<string, WatermarkInput>();
  private readonly repartitions = new Map<string, WatermarkRepartition>();

  constructor(
    private readonly planned: Plan,
    private readonly countOf: (input: PlannedInput) => number,
  ) {
    this.sources = new Map(planned.sources.map((source) => [source.name, source]));
    this.feeds = merged(planned.feeds);
  }

  plan(): WatermarkPlan {
    for (const feed of this.feeds.values()) if (this.isInMode(feed)) this.include(feed);
    return { inputs: [...this.inputs.values()], operators: [...this.operators.values()], repartitions: [...this.repartitions.values()] };
  }

  /** A topic in watermark mode reaches it. */
  private isInMode(feed: PlannedFeed): boolean {
    const id = idOf(feed);
    const known = this.inMode.get(id);
    if (known !== undefined) return known;
    // Until it is known, so that a circle of repartitions ends.
    this.inMode.set(id, false);
    const is = feed.inputs.some((input) => this.inputIsInMode(input)) || this.storesOf(feed).some((each) => this.isInMode(each));
    this.inMode.set(id, is);
    return is;
  }

  private inputIsInMode({ name, internal }: PlannedInput): boolean {
    if (!internal) return this.sources.get(name)?.options.watermark !== undefined;
    const feed = this.feeds.get(`repartition ${name}`);
    return feed !== undefined && this.isInMode(feed);
  }

  private include(feed: PlannedFeed): void {
    const known = feed.kind === 'store' ? this.operators : this.repartitions;
    if (known.has(feed.name)) return;
    if (feed.kind === 'repartition') this.repartitions.set(feed.name, { name: feed.name, feeds: feedsOf(feed) });
    for (const input of feed.inputs) this.includeInput(input);
    for (const store of this.storesOf(feed)) this.include(store);
    if (feed.kind === 'store') this.operators.set(feed.name, { store: feed.name, feeds: feedsOf(feed), byWatermark: this.isInMode(feed) });
  }

  private includeInput({ name, internal }: PlannedInput): void {
    const key = sourceKey(name, internal);
    if (this.inputs.has(key)) return;
    const watermark = internal ? undefined : this.sources.get(name)?.options.watermark;
    const upstreamTasks = internal ? this.upstreamTasksOf(name) : 0;
    // Only a Subject fills it: nobody can say how far that has come.
    if (internal && upstreamTasks === 0) return;
    this.inputs.set(key, { key, outOfOrderness: watermark?.outOfOrderness ?? 0, idleAfter: watermark?.idleAfter, upstreamTasks });
    // Its upstream tasks keep watermarks for it, even if no topic behind it is in watermark mode.
    const feed = this.feeds.get(`repartition ${name}`);
    if (internal && feed !== undefined) this.include(feed);
  }

  private upstreamTasksOf(repartition: string): number {
    const upstream = this.planned.repartitions.find(({ topic }) => topic.name === repartition)?.upstream ?? [];
    return Math.max(0, ...upstream.map(this.countOf));
  }

  private storesOf({ stores }: PlannedFeed): PlannedFeed[] {
    return stores.flatMap((store) => this.feeds.get(`store ${store}`) ?? []);
  }
}

/** One entry a name: a store of a join is subscribed twice, a repartition topic may have several writers. */
function merged(feeds: readonly PlannedFeed[]): ReadonlyMap<string, PlannedFeed> {
  const byId = new Map<string, PlannedFeed>();
  for (const feed of feeds) {
    const before = byId.get(idOf(feed));
    const inputs = [...(before?.inputs ?? []), ...feed.inputs];
    const stores = [...new Set([...(before?.stores ?? []), ...feed.stores])].filter(
      (store) => feed.kind !== 'store' || store !== feed.name,
    );
    const keys = inputs.map(({ name, internal }) => sourceKey(name, internal));
    byId.set(idOf(feed), { ...feed, inputs: inputs.filter((_, at) => keys.indexOf(keys[at] as string) === at), stores });
  }
  return byId;
}

function idOf({ kind, name }: PlannedFeed): string {
  return `${kind} ${name}`;
}

function feedsOf({ inputs, stores }: PlannedFeed): Feeds {
  return { inputs: inputs.map(({ name, internal }) => sourceKey(name, internal)), stores };
}
