import { MillraceError } from '../errors/millrace-error';
import type { Logger } from '../model/logger';
import type { Clock, TimerHandle } from '../time/clock';
import { kafkaCode } from './error-codes';
import type { KafkaPort } from './port';

export interface PartitionWatchOptions {
  readonly port: KafkaPort;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Of the inputs, as the instance was laid out on them. */
  readonly inputs: readonly { readonly topic: string; readonly partitions: number }[];
  /** Topics of global tables, of which every partition is read. */
  readonly globals: ReadonlyMap<string, number>;
  /** The plan has state or repartition topics, which have as many partitions as its inputs had. */
  readonly isStateful: boolean;
  /** Told once. */
  readonly grown: (reason: MillraceError) => void;
}

/** ms between two looks while nobody joins. */
const EVERY_MS = 60_000;

/**
 * Notices that a topic was given more partitions while an instance runs: those are not read by any task, and a producer that hashes keys
 * sends them elsewhere from then on, where their state is not. Topics never lose partitions; a broker may tell of fewer because it is late.
 */
export class PartitionWatch {
  readonly #expected: ReadonlyMap<string, number>;
  #timer: TimerHandle | undefined;
  #looking = false;
  #over = false;

  constructor(private readonly options: PartitionWatchOptions) {
    const { inputs, globals } = options;
    this.#expected = new Map([...globals, ...inputs.map(({ topic, partitions }) => [topic, partitions] as const)]);
  }

  /** Asks now, and then every minute. */
  look(): void {
    if (this.#over || this.#looking) return;
    this.#looking = true;
    this.#timer?.cancel();
    void this.#ask().finally(() => {
      this.#looking = false;
      if (this.#over) return;
      this.#timer = this.options.clock.setTimer(EVERY_MS, () => {
        this.look();
      });
    });
  }

  stop(): void {
    this.#over = true;
    this.#timer?.cancel();
  }

  async #ask(): Promise<void> {
    const { port, logger, grown } = this.options;
    try {
      const { topics } = await port.metadata([...this.#expected.keys()]);
      const found = topics.find(({ topic, errorCode, partitions }) => {
        return errorCode === kafkaCode.NONE && partitions.length > (this.#expected.get(topic) ?? Infinity);
      });
      if (found === undefined || this.#over) return;
      this.stop();
      grown(this.#error(found.topic, found.partitions.length));
    } catch (cause) {
      logger.debug({ cause: String(cause) }, 'the partitions of the inputs could not be looked at');
    }
  }

  #error(topic: string, now: number): MillraceError {
    const isInput = this.options.inputs.some((input) => input.topic === topic);
    const before = String(this.#expected.get(topic));
    return new MillraceError(
      'PARTITIONS_CHANGED',
      `Topic "${topic}" has ${String(now)} partitions now; it had ${before} when this instance started, and reads so many. ` +
        `Records go to the others as well. ${this.#wayOn(isInput)}`,
      { where: { topic } },
    );
  }

  #wayOn(isInput: boolean): string {
    if (!isInput) return 'It is a global table: stop all instances, then start them again, and all of it is read';
    if (!this.options.isStateful) {
      return 'The application keeps no state: stop all instances, then start them again, and there are as many tasks';
    }
    return (
      'State and repartition topics are laid out for the old number, and keys have moved between partitions: stop all instances, reset the ' +
      'application (its committed offsets, its changelog and repartition topics, its state directories) and start it again, or start it under ' +
      'another applicationId'
    );
  }
}
