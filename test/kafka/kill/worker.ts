/**
 * One life of an instance, to be killed: node --import tsx worker.ts <JSON of Life>. Writes the protocol step it is at into a file, so
 * that whoever kills it knows what was hit; may kill or stop itself at a step, which is more exact than any timer.
 */
import { openSync, writeSync } from 'node:fs';
import { MillraceApp } from '../../../src/app';
import { checkConfig } from '../../../src/config';
import { MillraceError } from '../../../src/errors/millrace-error';
import type { Broker, KafkaPort } from '../../../src/kafka/port';
import { kafkaBroker } from '../../../src/kafkajs/kafka-broker';
import { openLevelBytes } from '../../../src/level/level-bytes';
import { silentLogger } from '../../../src/model/logger';
import type { OpenBytes } from '../../../src/state/open-bytes';
import { openSlot } from '../../../src/state/slot';
import { systemClock } from '../../../src/time/system-clock';
import { killJob } from './job';

export interface Life {
  readonly application: string;
  readonly brokers: readonly string[];
  readonly stateDirectory: string;
  readonly instanceId?: string;
  readonly stepFile: string;
  /** At the nth time of this step … */
  readonly step?: string;
  readonly nth?: number;
  /** … in a transaction that writes records: those of a hand-over may hold positions only … */
  readonly onlyWithRecords?: boolean;
  /** … die (-9), or stop until SIGCONT. */
  readonly signal?: 'SIGKILL' | 'SIGSTOP';
  /** The answers to these EndTxns (counted from 1) are dropped after they took effect. */
  readonly dropEndTxn?: readonly number[];
  readonly untilCaughtUp?: boolean;
  readonly sessionTimeout?: number;
}

const life = JSON.parse(process.argv[2] ?? '{}') as Life;
const file = openSync(life.stepFile, 'w');
const seen = new Map<string, number>();

let writesRecords = false;

function at(step: string): void {
  writeSync(file, `${step.padEnd(40)}\n`, 0);
  if (step === 'producing') writesRecords = true;
  else if (step === 'ended') writesRecords = false;
  if (life.onlyWithRecords === true && !writesRecords) return;
  const times = (seen.get(step) ?? 0) + 1;
  seen.set(step, times);
  if (life.signal !== undefined && step === life.step && times === (life.nth ?? 1)) process.kill(process.pid, life.signal);
}

function droppingAnswers(broker: Broker): Broker {
  let ended = 0;
  return {
    connect: (clientId) => {
      const port = broker.connect(clientId);
      const endTxn: KafkaPort['endTxn'] = async (node, request) => {
        const answer = await port.endTxn(node, request);
        ended++;
        if (life.dropEndTxn?.includes(ended) !== true) return answer;
        at("EndTxn's answer dropped");
        process.send?.('dropped');
        throw new MillraceError('DISCONNECTED', 'dropped by the test', { retryable: true });
      };
      return new Proxy(port, {
        get: (target, name) => (name === 'endTxn' ? endTxn : (Reflect.get(target, name, target) as () => unknown).bind(target)),
      });
    },
  };
}

const { topology } = killJob(life.application);
const openBytes: OpenBytes = async (folder, options) => {
  const bytes = await openLevelBytes(folder, { clock: systemClock, ...options });
  const write = bytes.write.bind(bytes);
  return Object.assign(bytes, {
    write: async (operations: Parameters<typeof write>[0]) => {
      at('writing LevelDB');
      await write(operations);
    },
  });
};
const config = checkConfig({
  applicationId: life.application,
  brokers: life.brokers,
  stateDirectory: life.stateDirectory,
  commitInterval: 20,
  sessionTimeout: life.sessionTimeout ?? 6_000,
  heartbeatInterval: 500,
  ...(life.instanceId === undefined ? {} : { instanceId: life.instanceId }),
});
const app = new MillraceApp(config, () => {
  const clock = systemClock;
  const { applicationId, instanceId } = config;
  return Promise.resolve({
    clock,
    broker: droppingAnswers(kafkaBroker({ brokers: life.brokers, clock, logger: silentLogger })),
    openBytes,
    openSlot: () => openSlot({ stateDirectory: life.stateDirectory, applicationId, instanceId, openBytes, clock }),
    onTransactionStep: (step) => {
      at(step);
      if (step === 'ended') {
        setImmediate(() => {
          at('between EndTxn and LevelDB');
          setImmediate(() => {
            at('pushing');
          });
        });
      }
    },
  });
});
at('starting');
app.run(topology, life.untilCaughtUp === true ? { until: 'caught-up' } : {}).subscribe({
  next: () => process.send?.('committed'),
  error: (error: unknown) => {
    console.error(error);
    process.exit(1);
  },
  complete: () => {
    process.exit(0);
  },
});
