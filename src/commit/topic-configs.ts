import type { DescribeConfigsAnswer, KafkaPort } from '../kafka/port';
import { Deadline, done, retrying, steady } from '../kafka/retrying';
import type { Clock } from '../time/clock';

export interface TopicConfigsOptions {
  readonly port: KafkaPort;
  readonly clock: Clock;
  /** ms for which a question that was not answered is asked again. */
  readonly giveUpAfterMs: number;
}

/** @throws BROKERS_UNREACHABLE */
export function topicConfigs(
  { port, clock, giveUpAfterMs }: TopicConfigsOptions,
  topics: readonly string[],
  names: readonly string[],
): Promise<DescribeConfigsAnswer['topics']> {
  const deadline = new Deadline(clock, giveUpAfterMs);
  const waitingFor = `the configs of ${topics.join(', ')}`;
  return retrying({ clock, deadline, backoff: steady, waitingFor }, async () => done((await port.describeConfigs(topics, names)).topics));
}
