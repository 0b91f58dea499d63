import { createInterface } from 'node:readline';
import type { ClusterBroker } from './cluster-broker';

export const CONTROL_HELP = `
With 3 brokers, lines on standard input: "kill 2" (-9), "stop 2" (SIGSTOP), "continue 2" (SIGCONT), "restart 2" (also after a kill).
`;

const ORDERS = ['kill', 'stop', 'continue', 'restart'] as const;

export interface Order {
  readonly what: (typeof ORDERS)[number];
  readonly id: number;
}

/** The order in a line; undefined when there is none. */
export function parseOrder(line: string): Order | undefined {
  const [, verb, id] = /^\s*([a-z]+)\s+(\d{1,4})\s*$/.exec(line) ?? [];
  const what = ORDERS.find((order) => order === verb);
  return what === undefined ? undefined : { what, id: Number(id) };
}

/** Carries out orders, one line each, one after the other, and says what came of them. Gives what ends that. */
export function takeOrders(input: NodeJS.ReadableStream, brokers: readonly ClusterBroker[], log: (line: string) => void): () => void {
  const lines = createInterface({ input });
  let previous = Promise.resolve();
  lines.on('line', (line) => {
    previous = previous.then(() => obey(line, brokers, log));
  });
  return () => {
    lines.close();
  };
}

async function obey(line: string, brokers: readonly ClusterBroker[], log: (line: string) => void): Promise<void> {
  if (line.trim() === '') return;
  const order = parseOrder(line);
  const broker = brokers.find(({ id }) => id === order?.id);
  if (order === undefined || broker === undefined) {
    const ids = brokers.map(({ id }) => id).join(', ');
    log(`"${line.trim()}" is no order: one of ${ORDERS.join(', ')}, and a broker: ${ids}`);
    return;
  }
  try {
    await broker[order.what]();
    log(`${order.what} ${broker.id}: done${broker.pid === undefined ? '' : ` (process ${broker.pid})`}`);
  } catch (error) {
    log(`${order.what} ${broker.id}: ${error instanceof Error ? error.message : String(error)}`);
  }
}
