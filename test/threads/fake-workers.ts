import { EventEmitter } from 'node:events';
import type { Worker } from 'node:worker_threads';
import { checkConfig, type MillraceConfig } from '../../src/config';
import type { AppState } from '../../src/commit/app-state';
import type { Commit } from '../../src/commit/commit-event';
import type { Broker, KafkaPort } from '../../src/kafka/port';
import { memoryBroker } from '../../src/memory/memory-broker';
import type { FromWorker, ToWorker, WorkerData } from '../../src/threads/messages';
import { ThreadGroup } from '../../src/threads/thread-group';
import { topologyModule } from '../../src/threads/topology-module';
import { WatchedOutputs } from '../../src/threads/watched-outputs';
import { manualClock, type ManualClock } from '../../src/time/manual-clock';

/** A thread that does what the test says. */
export class FakeWorker extends EventEmitter {
  readonly told: ToWorker[] = [];
  isTerminated = false;
  /** What it does of itself when it is told something. */
  onTold: (message: ToWorker) => void = () => undefined;

  constructor(readonly data: WorkerData) {
    super();
  }

  postMessage(message: ToWorker): void {
    this.told.push(message);
    this.onTold(message);
  }

  terminate(): Promise<number> {
    this.isTerminated = true;
    this.exit(1);
    return Promise.resolve(1);
  }

  say(message: FromWorker): void {
    this.emit('message', message);
  }

  exit(code: number): void {
    this.emit('exit', code);
  }

  started(): void {
    this.say({ type: 'started', layout: { inputs: [], repartitionOrder: [] } });
  }

  /** As a worker does that is told to close. */
  close(): void {
    this.say({ type: 'closing' });
    this.say({ type: 'ended', error: undefined });
    this.exit(0);
  }
}

/** A group of fake workers on a manual clock. */
export interface FakeThreads {
  readonly group: ThreadGroup;
  readonly clock: ManualClock;
  /** In the order of their starts. */
  readonly workers: FakeWorker[];
  readonly outputs: WatchedOutputs;
  readonly states: AppState[];
  readonly commits: Commit[];
  /** Member ids for which the group was left. */
  readonly left: string[];
  readonly slot: { isReleased: boolean };
  /** All have started. */
  running(): Promise<void>;
}

export function fakeThreads(options: Partial<MillraceConfig> = {}): FakeThreads {
  const clock = manualClock();
  const config = checkConfig({ applicationId: 'app', brokers: ['localhost:9092'], threads: 2, ...options });
  const [workers, states, commits, left]: [FakeWorker[], AppState[], Commit[], string[]] = [[], [], [], []];
  const slot = { isReleased: false };
  const outputs = new WatchedOutputs();
  const group = new ThreadGroup({
    config,
    brokers: ['localhost:9092'],
    adapters: {
      clock,
      broker: hearingLeaves(memoryBroker({ clock }), left),
      openBytes: undefined,
      openSlot: () =>
        Promise.resolve({
          id: 'slot',
          directory: '/nowhere',
          taskDirectory: () => undefined,
          globalDirectory: () => undefined,
          release: () => {
            slot.isReleased = true;
            return Promise.resolve();
          },
        }),
    },
    module: topologyModule('/nowhere/topology.js'),
    spawn: (data) => {
      const worker = new FakeWorker(data);
      workers.push(worker);
      return worker as unknown as Worker;
    },
    untilCaughtUp: false,
    outputs,
    committed: (commit) => commits.push(commit),
    state: (state) => states.push(state),
    restoring: () => undefined,
  });
  return {
    ...{ group, clock, workers, outputs, states, commits, left, slot },
    running: async () => {
      const started = group.start();
      await clock.settle();
      for (const worker of workers) worker.started();
      await started;
    },
  };
}

function hearingLeaves(broker: Broker, left: string[]): Broker {
  return {
    connect: (clientId) => {
      const port = broker.connect(clientId);
      const leaveGroup: KafkaPort['leaveGroup'] = (node, request) => {
        left.push(...request.members.map(({ memberId }) => memberId));
        return port.leaveGroup(node, request);
      };
      return new Proxy(port, {
        get: (target, name) => (name === 'leaveGroup' ? leaveGroup : (Reflect.get(target, name, target) as () => unknown).bind(target)),
      });
    },
  };
}
