import type { Subscription } from 'rxjs';
import type { MillraceConfig } from '../../config';
import { MillraceError } from '../../errors/millrace-error';
import type { TransactionStep } from '../../kafka/transaction-outcome';
import type { Call } from '../../memory/call';
import type { MemoryBroker } from '../../memory/memory-broker';
import type { Topology } from '../../task/topology';
import type { Clock } from '../../time/clock';
import type { Row } from './rows';
import { SimulatedProcess } from './simulated-process';
import { SurvivingState } from './surviving-state';

/** Where a process may die within a commit, in the order in which it comes there. */
export type CrashPoint =
  /** A transaction has begun at the broker, nothing is written. */
  | 'before produce'
  /** Outputs, changelogs and offsets are written, and the transaction is open. */
  | 'between produce and EndTxn'
  /** The broker has decided to commit; the process never hears of it. */
  | 'before the answer to EndTxn'
  /** The process knows that the transaction is committed; its local state does not hold it yet. */
  | 'between EndTxn and the local write'
  /** As a batch for the local state is handed over: nothing of it is written. */
  | 'during the local write';

/** What became of an instance. */
export interface InstanceRun {
  /** Frames at which it was started. */
  readonly starts: readonly number[];
  readonly crashes: readonly { readonly frame: number; readonly point: CrashPoint | 'anywhere' }[];
  /** Transactions it has committed and heard of. */
  readonly commits: number;
}

export interface SimulatedInstanceOptions {
  readonly name: string;
  readonly row: Row;
  readonly crashes: Readonly<Record<string, CrashPoint>>;
  readonly topology: Topology;
  readonly config: MillraceConfig;
  readonly clock: Clock;
  readonly broker: MemoryBroker;
  /** The frame of now. */
  readonly frame: () => number;
}

const steps: Partial<Record<TransactionStep, CrashPoint>> = {
  producing: 'before produce',
  'between offsets and EndTxn': 'between produce and EndTxn',
  ended: 'between EndTxn and the local write',
};

/** One row of a cluster's diagram: `^` starts the instance, `!` closes it, `x` kills it, a letter lets it die at a point of a commit. */
export class SimulatedInstance {
  readonly run = { starts: [] as number[], crashes: [] as { frame: number; point: CrashPoint | 'anywhere' }[], commits: 0 };
  readonly row: Row;
  error: unknown;
  private readonly disk = new SurvivingState();
  private process: SimulatedProcess | undefined;
  private subscription: Subscription | undefined;
  private closing: { readonly process: SimulatedProcess; readonly frame: number } | undefined;
  private armed: { readonly point: CrashPoint; readonly frame: number } | undefined;

  /** @throws CONFIG for a row that makes no sense */
  constructor(private readonly options: SimulatedInstanceOptions) {
    this.row = options.row;
    this.checkRow();
  }

  get isAlive(): boolean {
    return this.process !== undefined;
  }

  /** A crash at a point of a commit that has not come yet. */
  get awaited(): string | undefined {
    if (this.armed === undefined) return undefined;
    return `instance "${this.options.name}" was to die ${this.armed.point} from frame ${this.armed.frame} on, and has not come there`;
  }

  /** What its row says of this frame. */
  act(frame: number): void {
    for (const { symbol } of this.row.symbols.filter((each) => each.frame === frame)) {
      if (symbol === '^') this.start(frame);
      else if (symbol === '!') this.close(frame);
      else if (symbol === 'x') this.die('anywhere');
      else this.armed = { point: this.options.crashes[symbol]!, frame };
    }
  }

  /** Ends what still runs, without a word to anybody. */
  end(): void {
    this.process?.kill();
    this.process = undefined;
    this.closing = undefined;
  }

  private start(frame: number): void {
    if (this.awaited !== undefined) throw new MillraceError('CONFIG', `${this.awaited} when frame ${frame} starts it again`);
    const { name, clock, broker, config, topology } = this.options;
    if (this.closing !== undefined) {
      const since = `since frame ${this.closing.frame} instance "${name}" is being closed, and has not left yet`;
      throw new MillraceError('CONFIG', `${since} when frame ${frame} starts it again`);
    }
    this.run.starts.push(frame);
    const process = new SimulatedProcess({
      ...{ clock, broker, name, config },
      openBytes: (mortal) =>
        this.disk.opener(mortal, () => {
          this.reached('during the local write', process);
        }),
      onTransactionStep: (step) => {
        const point = steps[step];
        if (point !== undefined) this.reached(point, process);
      },
    });
    this.process = process;
    this.subscription = process.app.run(topology).subscribe({
      next: () => this.run.commits++,
      error: (error: unknown) => {
        this.error ??= error;
        this.gone(process);
      },
      complete: () => {
        this.gone(process);
      },
    });
  }

  private close(frame: number): void {
    this.subscription?.unsubscribe();
    const { process } = this;
    if (process === undefined) return;
    this.closing = { process, frame };
    void process.app.close().then(
      () => {
        this.gone(process);
      },
      (error: unknown) => {
        this.error ??= error;
      },
    );
  }

  /** For the broker: true when this is the EndTxn whose answer is never to come; then the process has died. */
  diesOf(call: Call): boolean {
    if (call.api !== 'endTxn' || call.clientId !== this.options.name || !call.request.commit) return false;
    return this.reached('before the answer to EndTxn', this.process);
  }

  private reached(point: CrashPoint, process: SimulatedProcess | undefined): boolean {
    if (this.armed?.point !== point || process === undefined || process !== this.process) return false;
    this.armed = undefined;
    this.die(point);
    return true;
  }

  private die(point: CrashPoint | 'anywhere'): void {
    this.end();
    this.run.crashes.push({ frame: this.options.frame(), point });
  }

  private gone(process: SimulatedProcess): void {
    if (this.process === process) this.process = undefined;
    if (this.closing?.process === process) this.closing = undefined;
  }

  /** Starts and ends must take turns. A letter ends the instance, too, at some frame of its own. */
  private checkRow(): void {
    const { row, options } = this;
    const { crashes } = options;
    let runs = false;
    for (const { symbol, frame } of row.symbols) {
      if (symbol !== '^' && symbol !== '!' && symbol !== 'x' && crashes[symbol] === undefined) {
        const known = [
          '^ (start)',
          '! (close)',
          'x (die)',
          ...Object.entries(crashes).map(([letter, point]) => `${letter} (die ${point})`),
        ];
        throw row.error(`"${symbol}" at frame ${frame} is none of ${known.join(', ')}`);
      }
      if ((symbol === '^') === runs) {
        throw row.error(`at frame ${frame} "${symbol}" ${runs ? 'starts what runs' : 'ends what does not run'}`);
      }
      runs = symbol === '^';
    }
  }
}
