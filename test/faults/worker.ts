/**
 * One life of an instance in a process of its own: node --import tsx worker.ts <JSON of Life>. Tells its parent what it does; may stop or
 * kill itself at a step of the protocol, which is more exact than any signal from outside.
 */
import { lineLogger } from '../../scripts/chaos/line-logger';
import { MillraceApp } from '../../src/app';
import { checkConfig, type MillraceConfig } from '../../src/config';
import type { Broker, KafkaPort } from '../../src/kafka/port';
import { kafkaBroker } from '../../src/kafkajs/kafka-broker';
import { openLevelBytes } from '../../src/level/level-bytes';
import type { OpenBytes } from '../../src/state/open-bytes';
import { openSlot } from '../../src/state/slot';
import { systemClock } from '../../src/time/system-clock';
import { type JobName, jobOf, SLOW_MET } from './jobs';

export interface Life {
  readonly application: string;
  readonly job: JobName;
  readonly brokers: readonly string[];
  readonly stateDirectory: string;
  readonly logFile: string;
  readonly config: Partial<Omit<MillraceConfig, 'logger' | 'metrics' | 'cluster'>>;
  /** ms that the slow word of the job takes. */
  readonly slowMs?: number;
  readonly at?: AtStep;
  /** Leaves the group after so many ms and joins again after as many, over and over: faster than processes can. */
  readonly comeAndGoMs?: number;
  /** ms for `close` after SIGTERM. */
  readonly closeWithinMs?: number;
}

/**
 * At the nth time of this step the process does this to itself. Steps: those of a transaction (src/kafka/transaction-outcome.ts), `writing
 * LevelDB`, `joinGroup`, `syncGroup`, `offsetFetch`. Given with the life, or sent to it later.
 */
export interface AtStep {
  readonly step: string;
  readonly nth: number;
  readonly signal: 'SIGKILL' | 'SIGSTOP';
}

/** Times are wall clock, ms. */
export type News =
  | { readonly kind: 'state'; readonly at: number; readonly state: string }
  | { readonly kind: 'committed'; readonly at: number; readonly tasks: readonly { readonly partition: number; readonly records: number }[] }
  /** A generation of the group that this member has joined. */
  | { readonly kind: 'generation'; readonly at: number; readonly generation: number }
  | { readonly kind: 'failed'; readonly at: number; readonly code: string; readonly message: string };

type Untimed<T> = T extends unknown ? Omit<T, 'at'> : never;

const life = JSON.parse(process.argv[2] ?? '{}') as Life;
const logger = lineLogger(life.logFile);

function tell(news: Untimed<News>, told: () => void = () => undefined): void {
  // Whoever started us may be gone.
  if (process.connected) process.send?.({ at: Date.now(), ...news }, undefined, undefined, told);
  else told();
}

let armed = life.at;
let stepsLeft = armed?.nth ?? 0;
function at(step: string): void {
  if (armed === undefined || step !== armed.step) return;
  stepsLeft--;
  if (stepsLeft > 0) return;
  const { signal } = armed;
  armed = undefined;
  logger.info({ step, signal }, 'this is the step');
  process.kill(process.pid, signal);
}
process.on('message', (order) => {
  armed = order as AtStep;
  stepsLeft = armed.nth;
});

/** Each request is a step, named as the port names it; and generations are told. */
function watched(broker: Broker): Broker {
  return {
    connect: (clientId) => {
      const port = broker.connect(clientId);
      const joinGroup: KafkaPort['joinGroup'] = async (node, request) => {
        at('joinGroup');
        const answer = await port.joinGroup(node, request);
        if (answer.errorCode === 0) tell({ kind: 'generation', generation: answer.generationId });
        return answer;
      };
      return new Proxy(port, {
        get: (target, name) => {
          if (name === 'joinGroup') return joinGroup;
          const member = (Reflect.get(target, name, target) as (...args: unknown[]) => unknown).bind(target);
          if (name !== 'syncGroup' && name !== 'offsetFetch') return member;
          return (...args: unknown[]) => {
            at(name);
            return member(...args);
          };
        },
      });
    },
  };
}

const { application, stateDirectory, brokers } = life;
const openBytes: OpenBytes = async (folder, options) => {
  const bytes = await openLevelBytes(folder, { clock: systemClock, logger, ...options });
  const writeBytes = bytes.write.bind(bytes);
  return Object.assign(bytes, {
    write: async (operations: Parameters<typeof writeBytes>[0]) => {
      at('writing LevelDB');
      await writeBytes(operations);
    },
  });
};
const config = checkConfig({ applicationId: application, brokers, stateDirectory, logger, ...life.config });
const slow = {
  ms: life.slowMs ?? 0,
  met: () => {
    logger.info({}, SLOW_MET);
  },
};

function begin(): MillraceApp {
  const app = new MillraceApp(config, () => {
    const clock = systemClock;
    const { applicationId, instanceId, requestTimeout: requestTimeoutMs } = config;
    return Promise.resolve({
      clock,
      broker: watched(kafkaBroker({ brokers, clock, logger, requestTimeoutMs })),
      openBytes,
      openSlot: () => openSlot({ stateDirectory, applicationId, instanceId, openBytes, clock, logger }),
      onTransactionStep: at,
    });
  });
  app.state$.subscribe((state) => {
    logger.info({ state }, 'state');
    tell({ kind: 'state', state });
  });
  app.run(jobOf(life.job, application, slow).topology).subscribe({
    next: ({ tasks }) => {
      tell({ kind: 'committed', tasks: tasks.map(({ partition, records }) => ({ partition, records })) });
    },
    error: (error: { readonly code?: string; readonly message: string }) => {
      logger.error({ code: error.code }, error.message);
      tell({ kind: 'failed', code: error.code ?? 'unknown', message: error.message }, () => process.exit(1));
    },
  });
  return app;
}

let app = begin();
let ending = false;
const close = (): Promise<void> => app.close({ within: life.closeWithinMs ?? 10_000 });

async function comeAndGo(everyMs: number): Promise<void> {
  for (;;) {
    await new Promise((resolve) => setTimeout(resolve, everyMs));
    if (ending) return;
    await close();
    if (ending) return;
    await new Promise((resolve) => setTimeout(resolve, everyMs));
    if (ending) return;
    app = begin();
  }
}
if (life.comeAndGoMs !== undefined) void comeAndGo(life.comeAndGoMs);

process.on('SIGTERM', () => {
  logger.info({}, 'SIGTERM');
  ending = true;
  close().then(
    () => process.exit(0),
    () => process.exit(1),
  );
});
// Nobody is left to end us.
process.on('disconnect', () => process.exit(2));
