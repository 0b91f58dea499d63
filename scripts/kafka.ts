import { relative } from 'node:path';
import { downloadKafka, KafkaServerError, startCluster } from './kafka-server';
import { parseKafkaCommand } from './kafka/command-line';
import { takeOrders } from './kafka/control';

const log = (line: string): void => {
  process.stdout.write(`${line}\n`);
};

const PARENT_CHECK_MS = 250;

/**
 * Fulfilled at the first Ctrl-C or SIGTERM (npm or tsx may pass on one that we have had already: later ones change nothing), and when
 * npm is gone: a signal to npm alone ends npm and never reaches us.
 */
function askedToStop(): { promise: Promise<'stop'>; signal: AbortSignal } {
  const controller = new AbortController();
  const promise = new Promise<'stop'>((resolve) => {
    const stop = (): void => {
      controller.abort();
      resolve('stop');
    };
    for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(name, stop);
    if (process.env['npm_lifecycle_event'] === undefined) return;
    const parent = process.ppid;
    setInterval(() => {
      if (process.ppid !== parent) stop();
    }, PARENT_CHECK_MS).unref();
  });
  return { promise, signal: controller.signal };
}

async function main(): Promise<void> {
  const command = parseKafkaCommand(process.argv.slice(2));
  const asked = askedToStop();
  try {
    if (command.download) {
      const { version, folder } = await downloadKafka({ log, signal: asked.signal });
      log(`Apache Kafka ${version} is in ${relative('', folder)}`);
      return;
    }
    const { port, brokers, keep } = command;
    const kafka = await startCluster({ port, brokers, keep, log, signal: asked.signal });
    const processes = kafka.brokers.map(({ pid }) => pid).join(', ');
    log(
      `Apache Kafka ${kafka.version} is ready on ${kafka.bootstrap.join(',')} after ${process.uptime().toFixed(1)} s (process ${processes})`,
    );
    log(`  data  ${relative('', kafka.dataDirectory)}${keep ? '' : ', emptied at the next start without --keep'}`);
    for (const { id, address, pid, logFile } of kafka.brokers) {
      log(
        brokers === 1 ? `  log   ${relative('', logFile)}` : `  broker ${id} on ${address} is process ${pid}, log ${relative('', logFile)}`,
      );
    }
    const endOrders = brokers === 1 ? () => {} : takeOrders(process.stdin, kafka.brokers, log);
    log('Ctrl-C stops it.');
    const end = await Promise.race([asked.promise, kafka.exited]);
    if (end === 'stop') log('stopping');
    endOrders();
    await kafka.close();
    if (end !== 'stop') throw end;
    log('stopped');
  } catch (error) {
    if (asked.signal.aborted) {
      log('stopped');
      return;
    }
    if (!(error instanceof KafkaServerError)) throw error;
    process.stderr.write(`${error.message}\n`);
    process.exitCode = 1;
  }
}

void main();
