import { MillraceApp } from '../../app';
import type { Adapters } from '../../commit/adapters';
import { checkConfig, type MillraceConfig } from '../../config';
import type { Broker } from '../../kafka/port';
import type { TransactionStep } from '../../kafka/transaction-outcome';
import type { OpenBytes } from '../../state/open-bytes';
import { memorySlot, type Slot } from '../../state/slot';
import type { Clock } from '../../time/clock';
import { MortalBroker } from './mortal-broker';
import { MortalClock } from './mortal-clock';

export interface SimulatedProcessOptions {
  readonly clock: Clock;
  readonly broker: Broker;
  /** Names slot and client: given again, it is the same instance come back. */
  readonly name: string;
  readonly config: MillraceConfig;
  /** Local state that outlives the process; without it every store is in memory. */
  readonly openBytes?: ((clock: Clock) => OpenBytes) | undefined;
  /** What else it finds in its place, besides the folders of `openBytes`. */
  readonly slot?: Pick<Slot, 'notes' | 'taskFolders' | 'removeTask'> | undefined;
  readonly passed?: () => number;
  readonly onTransactionStep?: (step: TransactionStep) => void;
}

/** An application with a life of its own within this process: it can die at any moment, and what it does then has no effect. */
export class SimulatedProcess {
  readonly app: MillraceApp;
  private readonly clock: MortalClock;
  private readonly broker: MortalBroker;

  constructor(options: SimulatedProcessOptions) {
    const { name, onTransactionStep } = options;
    this.clock = new MortalClock(options.clock, options.passed);
    this.broker = new MortalBroker(options.broker, name);
    const openBytes = options.openBytes?.(this.clock);
    const slot = memorySlot(this.clock, name);
    const adapters: Adapters = {
      clock: this.clock,
      broker: this.broker,
      openBytes,
      openSlot: () =>
        Promise.resolve({
          ...slot,
          ...(openBytes !== undefined && {
            taskDirectory: (task: number) => `${name}/${task}`,
            globalDirectory: (topic: string) => `${name}/global-${topic}`,
            ...options.slot,
          }),
        }),
      ...(onTransactionStep !== undefined && { onTransactionStep }),
    };
    this.app = new MillraceApp(checkConfig(options.config), () => Promise.resolve(adapters));
  }

  /** The process dies: it sends nothing more, and hears of nothing. */
  kill(): void {
    this.clock.kill();
    this.broker.kill();
  }

  /** Time has passed within a turn: what is due is called with the next. */
  hurry(): void {
    this.clock.hurry();
  }

  /** Timers and immediates of its own that are still set. */
  get waiting(): number {
    return this.clock.waiting;
  }
}
