/** An instance in a process of its own, which kills, stops, slows down or misleads itself when told to. See orders.ts. */
import { join } from 'node:path';
import { MillraceApp, type App } from '../../src/app';
import { checkConfig, type MillraceConfig } from '../../src/config';
import { MillraceError } from '../../src/errors/millrace-error';
import type { Broker, JoinGroupAnswer, KafkaPort } from '../../src/kafka/port';
import { kafkaBroker } from '../../src/kafkajs/kafka-broker';
import { openLevelBytes } from '../../src/level/level-bytes';
import { millrace } from '../../src/millrace';
import type { OpenBytes } from '../../src/state/open-bytes';
import { openSlot } from '../../src/state/slot';
import type { Clock } from '../../src/time/clock';
import { topologyModule } from '../../src/threads/topology-module';
import { systemClock } from '../../src/time/system-clock';
import { chaosJob } from './job';
import { lineLogger } from './line-logger';
import type { Life, Order, Report } from './orders';
import { type Step, STEPS } from './schedule';

/** Low, so that a new owner with little state follows as a standby first, too. */
const ACCEPTABLE_LAG = 200;

const life = JSON.parse(process.argv[2] ?? '{}') as Life;
const logger = lineLogger(life.logFile);
let armed: Extract<Order, { kind: 'atStep' }> | undefined;
let stepsLeft = 0;
let slowMs = 0;
let jumpedMs = 0;
let fullMs = 0;
let fullUntil = -Infinity;

function report(what: Report, sent: () => void = () => undefined): void {
  // The run may be gone: then so are we, soon.
  if (process.connected) process.send?.(what, undefined, undefined, sent);
}

function at(step: string): void {
  if (step !== armed?.step) return;
  stepsLeft--;
  if (stepsLeft > 0) return;
  const { signal } = armed;
  armed = undefined;
  logger.info({ step, signal }, 'chaos: this is the step');
  process.kill(process.pid, signal);
}

/** Its wall clock can be set; its timers know nothing of that. */
const clock: Clock = { ...systemClock, now: () => systemClock.now() + jumpedMs };

const NO_BLOCKING = new Int32Array(new SharedArrayBuffer(4));

function pushed(): void {
  if (slowMs > 0) {
    logger.info({ ms: slowMs }, 'chaos: this record is slow');
    Atomics.wait(NO_BLOCKING, 0, 0, slowMs);
    slowMs = 0;
    report({ kind: 'wasSlow' });
  }
}

const watchedRequests: ReadonlySet<string> = new Set<Step>(['joinGroup', 'syncGroup', 'offsetFetch']);

/** Requests as steps, and generations as they are joined. */
function watched(broker: Broker): Broker {
  const asStep = (port: KafkaPort, name: string): unknown => {
    const request: unknown = Reflect.get(port, name);
    if (typeof request !== 'function' || !watchedRequests.has(name)) return typeof request === 'function' ? request.bind(port) : request;
    return async (...of: unknown[]): Promise<unknown> => {
      at(name);
      const answer: unknown = await (request as (...of: unknown[]) => Promise<unknown>).apply(port, of);
      if (name === 'joinGroup') {
        const { errorCode, generationId } = answer as JoinGroupAnswer;
        if (errorCode === 0) report({ kind: 'generation', generation: generationId });
      }
      return answer;
    };
  };
  return { connect: (clientId) => new Proxy(broker.connect(clientId), { get: (port, name: string) => asStep(port, name) }) };
}

function isFull(): boolean {
  const now = systemClock.monotonic();
  if (fullMs > 0) {
    fullUntil = now + fullMs;
    fullMs = 0;
    report({ kind: 'wasFull' });
  }
  return now < fullUntil;
}

/** As LevelDB says it. */
const noSpace = (folder: string): MillraceError =>
  new MillraceError('STATE_IO', `chaos: ${folder}: IO error: No space left on device`, { retryable: true });

const openBytes: OpenBytes = async (folder, options) => {
  const bytes = await openLevelBytes(folder, { clock, logger, ...options });
  const writeTo = bytes.write.bind(bytes);
  return Object.assign(bytes, {
    write: (operations: Parameters<typeof writeTo>[0]) => {
      at('writing LevelDB');
      return isFull() ? Promise.reject(noSpace(folder)) : writeTo(operations);
    },
  });
};

const { application: applicationId, brokers, stateDirectory, instanceId } = life;
const options: MillraceConfig = {
  ...{ applicationId, brokers, stateDirectory, logger },
  sessionTimeout: life.sessionTimeoutMs,
  heartbeatInterval: 500,
  requestTimeout: life.requestTimeoutMs,
  transactionTimeout: life.transactionTimeoutMs,
  standbyReplicas: life.standbyReplicas,
  acceptableLag: ACCEPTABLE_LAG,
  ...(instanceId === undefined ? {} : { instanceId }),
};

function appToBeMisled(): App {
  return new MillraceApp(checkConfig(options), () =>
    Promise.resolve({
      clock,
      broker: watched(kafkaBroker({ brokers, clock, logger, requestTimeoutMs: life.requestTimeoutMs })),
      openBytes,
      openSlot: () => openSlot({ stateDirectory, applicationId, instanceId, openBytes, clock, logger }),
      onTransactionStep: at,
    }),
  );
}

const isThreaded = life.threads > 1;
process.env['CHAOS_APPLICATION'] = applicationId;
const app = isThreaded ? millrace({ ...options, threads: life.threads }) : appToBeMisled();

function failed(error: unknown): void {
  const code = error instanceof MillraceError ? error.code : 'UNEXPECTED';
  logger.error({ code, stack: error instanceof Error ? error.stack : undefined }, `chaos: the instance failed: ${String(error)}`);
  report({ kind: 'failed', code, message: String(error) }, () => process.exit(1));
}

function obey(order: Order): void {
  switch (order.kind) {
    case 'atStep':
      armed = order;
      stepsLeft = order.nth;
      break;
    case 'noStep':
      armed = undefined;
      break;
    case 'slow':
      slowMs = order.ms;
      break;
    case 'full':
      fullMs = order.ms;
      break;
    case 'jump':
      if (isThreaded) break;
      jumpedMs += order.ms;
      logger.info({ ms: order.ms }, 'chaos: the wall clock was set');
      report({ kind: 'jumped' });
      break;
  }
}

process.on('message', (order) => {
  obey(order as Order);
});
process.on('disconnect', () => process.exit(1));
process.on('SIGTERM', () => {
  logger.info({}, 'chaos: SIGTERM');
  app.close({ within: life.closeWithinMs }).then(() => {
    process.exit(0);
  }, failed);
});
process.on('unhandledRejection', failed);
process.on('uncaughtException', failed);

logger.info({ instanceId, steps: STEPS.length }, 'chaos: a life begins');
app.state$.subscribe((state) => {
  logger.info({ state }, 'chaos: state');
  report({ kind: 'state', state });
});
const job = chaosJob(applicationId, () => {
  at('pushing');
  pushed();
});
app.run(isThreaded ? topologyModule(join(__dirname, 'threaded-topology.js')) : job).subscribe({ error: failed });
