import type { CellTable } from '../state/cells';
import type { EventTime } from '../state/event-time';
import type { Cell, Step } from '../state/scope';
import type { Clock } from '../time/clock';
import type { InputWatch } from './input-buffer';
import { RepartitionWatermark, SourceWatermark, type Upstream } from './input-watermarks';
import { OperatorWatermark, WatermarkClock } from './operator-watermark';
import { WATERMARK_CELLS, type Feeds, type WatermarkOperator, type WatermarkPlan } from './watermark-plan';
import { WatermarkStatement, type SayToAll } from './watermark-statement';

export interface WatermarksOptions {
  readonly plan: WatermarkPlan;
  readonly task: number;
  /** Inputs that this task has, by `sourceKey`. */
  readonly present: ReadonlySet<string>;
  readonly cells: CellTable;
  readonly clock: Clock;
  /** The scope's, of the task: what the operators have left to do. */
  readonly steps: readonly Step[];
}

/**
 * Event time of a task by watermarks: of its input partitions, of the operators that they reach, and what it tells the tasks behind its
 * repartitions. Nothing here goes back: inputs and operators keep theirs in cells. An operator's watermark moves before the record that
 * moves it is pushed, and never before what has become due above it is through.
 */
export class Watermarks {
  /** What the inputs say has changed, or what was due above is through: `advance` before the next record. */
  unsettled = false;
  /** That it is unsettled comes from an input, not from a record that was pushed. */
  movedByInput = false;
  private readonly sources = new Map<string, SourceWatermark>();
  private readonly repartitions = new Map<string, RepartitionWatermark>();
  /** All of them. */
  private readonly inputs: readonly (SourceWatermark | RepartitionWatermark)[];
  private readonly operators = new Map<string, OperatorWatermark>();
  /** In the order in which they move. */
  private readonly inOrder: readonly OperatorWatermark[];
  private readonly statements: readonly WatermarkStatement[];
  private say: SayToAll = () => undefined;

  constructor(private readonly options: WatermarksOptions) {
    const { plan, task } = options;
    this.makeInputs();
    this.inputs = [...this.sources.values(), ...this.repartitions.values()];
    for (const operator of plan.operators) this.makeOperator(operator);
    this.inOrder = [...this.operators.values()];
    this.statements = plan.repartitions.flatMap(({ name, feeds }) => {
      const upstream = this.upstreamOf(feeds);
      // Without an input of these the task is none of the upstream tasks.
      return upstream.length === 0 ? [] : [new WatermarkStatement(name, task, upstream, options.clock)];
    });
  }

  private makeInputs(): void {
    const { plan, present, cells, clock } = this.options;
    const changed = (): void => {
      this.unsettled = this.movedByInput = true;
    };
    for (const { key, outOfOrderness, idleAfter, upstreamTasks } of plan.inputs) {
      if (!present.has(key)) continue;
      if (upstreamTasks > 0) {
        this.repartitions.set(key, new RepartitionWatermark(cells.cell(WATERMARK_CELLS, key, ''), upstreamTasks, clock, changed));
      } else {
        const cell = cells.cell(WATERMARK_CELLS, key, -1);
        this.sources.set(key, new SourceWatermark(cell, outOfOrderness, idleAfter, clock, changed));
      }
    }
  }

  private makeOperator({ store, feeds, byWatermark }: WatermarkOperator): void {
    const upstream = this.upstreamOf(feeds);
    if (upstream.length === 0) return;
    const above = feeds.stores.flatMap((name) => this.operators.get(name) ?? []);
    this.operators.set(store, new OperatorWatermark(byWatermark, upstream, above));
  }

  private upstreamOf({ inputs, stores }: Feeds): Upstream[] {
    return [
      ...inputs.flatMap((key) => this.sources.get(key) ?? this.repartitions.get(key) ?? []),
      ...stores.flatMap((store) => this.operators.get(store) ?? []),
    ];
  }

  /** Once, before `start`: who carries what is said. */
  tellBy(say: SayToAll): void {
    this.say = say;
  }

  source(key: string): SourceWatermark | undefined {
    return this.sources.get(key);
  }

  watch(key: string): InputWatch | undefined {
    return this.sources.get(key) ?? this.repartitions.get(key);
  }

  /** The clock of a store's operator; undefined: it goes by stream time. */
  clockOf(store: string, cell: Cell<number>, advanced: () => void): EventTime | undefined {
    const operator = this.operators.get(store);
    if (operator?.byWatermark !== true) return undefined;
    operator.clocks.push({ cell, advanced });
    return new WatermarkClock(cell, operator);
  }

  /** What an operator on stream time holds back from those behind it that go by the watermark. */
  holdBack(store: string, least: () => number): void {
    this.operators.get(store)?.holds.push(least);
  }

  // ---- moving

  /** Between two pushes, when no step is left to do. */
  advance(): void {
    const { steps } = this.options;
    this.review();
    this.unsettled = this.movedByInput = false;
    for (const operator of this.inOrder) {
      operator.advance(steps);
      if (operator.pending) this.unsettled = true;
    }
    for (const statement of this.statements) if (statement.mayPassForIdle) statement.sayThatItCounts(this.say);
  }

  /** Steps have run: what waits for them may move. */
  stepsRan(): void {
    this.unsettled = true;
  }

  /** A record has moved its input's watermark while what was pushed before it is not through. */
  advanceLater(): void {
    this.unsettled = true;
  }

  /** There is something that the tasks behind do not know yet. */
  get hasNews(): boolean {
    return this.statements.some((statement) => statement.isNews);
  }

  /** Before sealing: says what those behind need to know, and keeps what must survive. True: something was said. */
  seal(quiet: boolean): boolean {
    this.review();
    for (const repartition of this.repartitions.values()) repartition.save();
    let said = false;
    for (const statement of this.statements) said = statement.sayIfDue(quiet, this.say) || said;
    return said;
  }

  /** Idle is only of whom is heard. */
  private review(): void {
    for (const input of this.inputs) input.review();
  }

  // ---- undoing

  /** The cells are as committed: begins there. */
  begin(): void {
    for (const source of this.sources.values()) source.begin();
    for (const repartition of this.repartitions.values()) repartition.begin();
    for (const statement of this.statements) statement.reset();
    this.reset();
  }

  checkpoint(): void {
    for (const repartition of this.repartitions.values()) repartition.checkpoint();
    for (const statement of this.statements) statement.checkpoint();
  }

  /** The cells are as checkpointed; what is replayed after it counts again. */
  rollback(): void {
    for (const source of this.sources.values()) source.begin();
    for (const repartition of this.repartitions.values()) repartition.rollback();
    for (const statement of this.statements) statement.rollback();
    this.reset();
  }

  /** The clocks of an assembly that is gone. */
  forgetClocks(): void {
    for (const operator of this.inOrder) operator.forget();
  }

  private reset(): void {
    for (const operator of this.inOrder) operator.reset();
    this.unsettled = this.movedByInput = true;
  }
}
