import { MillraceError } from '../errors/millrace-error';
import type { Broker, KafkaPort } from '../kafka/port';
import type { Logger } from '../model/logger';
import type { Clock } from '../time/clock';
import { parseAddress, type Address } from './address';
import { KafkaJsPort } from './kafkajs-port';
import type { Sasl, Ssl } from './wire';

export interface KafkaBrokerOptions {
  /** `host:port` each; one that answers is enough to find the others. */
  readonly brokers: readonly string[];
  readonly clock: Clock;
  readonly logger: Logger;
  /** ms until a request counts as unanswered. Default 30,000, at least 20,000: the death of a broker stalls its cluster for about 11 s. */
  readonly requestTimeoutMs?: number;
  /** ms for one connection: TCP, TLS, versions and authentication together. Default 10,000. */
  readonly connectionTimeoutMs?: number;
  readonly ssl?: Ssl;
  readonly sasl?: Sasl;
  /** Tests lower it to see timeouts. Default 20,000. */
  readonly leastRequestTimeoutMs?: number;
}

interface Checked {
  readonly seeds: readonly Address[];
  readonly requestTimeoutMs: number;
  readonly connectionTimeoutMs: number;
}

function check(options: KafkaBrokerOptions): Checked {
  const { brokers, requestTimeoutMs = 30_000, connectionTimeoutMs = 10_000, leastRequestTimeoutMs = 20_000 } = options;
  const mistakes: string[] = [];
  if (brokers.length === 0) mistakes.push('brokers is empty: name at least one host:port');
  const seeds: Address[] = [];
  for (const broker of brokers) {
    const seed = parseAddress(broker);
    if (seed === undefined) mistakes.push(`brokers names "${broker}", which is not host:port`);
    else seeds.push(seed);
  }
  if (!(requestTimeoutMs >= leastRequestTimeoutMs)) {
    mistakes.push(
      `requestTimeoutMs is ${requestTimeoutMs}, less than ${leastRequestTimeoutMs}: the death of a broker stalls its cluster for about 11 s`,
    );
  }
  if (!(connectionTimeoutMs > 0)) mistakes.push(`connectionTimeoutMs is ${connectionTimeoutMs}, not above 0`);
  if (mistakes.length > 0) throw new MillraceError('CONFIG', mistakes.join('; '));
  return { seeds, requestTimeoutMs, connectionTimeoutMs };
}

/**
 * Apache Kafka over kafkajs' sockets.
 * @throws CONFIG when an option is wrong; all mistakes at once. Nothing is connected before the first request.
 */
export function kafkaBroker(options: KafkaBrokerOptions): Broker {
  const checked = check(options);
  const { clock, logger, ssl, sasl } = options;
  return {
    connect: (clientId: string): KafkaPort =>
      new KafkaJsPort({ ...checked, clientId, clock, logger, ssl, sasl: sasl === undefined ? undefined : { ...sasl } }),
  };
}
