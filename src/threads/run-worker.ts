import type { MessagePort } from 'node:worker_threads';
import type { Adapters } from '../commit/adapters';
import { Instance } from '../commit/instance';
import type { CheckedConfig } from '../config';
import { MillraceError } from '../errors/millrace-error';
import { silentLogger } from '../model/logger';
import { planTopology } from '../task/plan';
import { encodeOutput, type EncodedOutput } from './encoded-output';
import { forwardedLogger, ForwardedMetrics } from './forwarding';
import type { FromWorker, ToWorker, WorkerData } from './messages';
import { toPlainError } from './plain-error';
import { loadTopology, TopologyModule, withModuleOptions } from './topology-module';
import { AskedInstance, inputsOf } from './work-of-threads';

/** Only the composition root names adapters. */
export type AdaptersOfWorker = (config: CheckedConfig, data: WorkerData) => Adapters;

const noMetrics = { add: () => undefined, flush: () => undefined };

/** The life of a worker thread: one instance, that tells the main thread what it does and does what that says. Never rejects. */
export async function runWorker(port: MessagePort, data: WorkerData, adaptersOf: AdaptersOfWorker): Promise<void> {
  const post = (message: FromWorker): void => {
    port.postMessage(message);
  };
  const logger = data.forward.logs ? forwardedLogger(post) : silentLogger;
  let flush: () => void = noMetrics.flush;
  const ended = (cause?: unknown): void => {
    flush();
    post({ type: 'ended', error: cause === undefined ? undefined : toPlainError(asMillraceError(cause)) });
    // Nothing of ours keeps the thread alive any more.
    port.close();
  };
  try {
    const { topology, options } = await loadTopology(new TopologyModule(data.module.url, data.module.exportName));
    const plain = withModuleOptions(
      { ...data.config, logger, metrics: noMetrics, cluster: undefined, onWorkerFailure: 'replace' as const },
      options,
    );
    const adapters = adaptersOf(plain, data);
    const metrics = data.forward.metrics ? new ForwardedMetrics(post, adapters.clock) : noMetrics;
    flush = () => {
      metrics.flush();
    };
    const plan = planTopology(topology, adapters.clock);
    const worker = new InstanceInWorker(post, data.watched, { config: { ...plain, metrics }, adapters, topology, plan });
    port.on('message', (message: ToWorker) => {
      worker.told(message);
    });
    await worker.run();
    ended();
  } catch (cause) {
    ended(cause);
  }
}

type InWorker = Pick<ConstructorParameters<typeof Instance>[0], 'config' | 'adapters' | 'topology' | 'plan'>;

/** An instance whose events are messages. */
class InstanceInWorker {
  private readonly instance: Instance;
  private readonly asked: AskedInstance;
  private watched: ReadonlySet<string>;
  private outputs: EncodedOutput[] = [];
  private memberId = '';

  constructor(
    private readonly post: (message: FromWorker) => void,
    watched: readonly string[],
    work: InWorker,
  ) {
    this.watched = new Set(watched);
    this.instance = new Instance({
      ...work,
      untilCaughtUp: false,
      isWatched: (topic) => this.watched.has(topic),
      output: (outgoing) => this.outputs.push(encodeOutput(outgoing)),
      committed: (commit) => {
        this.sayMember();
        post({ type: 'committed', commit, outputs: this.outputs });
        this.outputs = [];
      },
      state: (state) => {
        this.sayMember();
        post({ type: 'state', state });
      },
      restoring: (progress) => {
        post({ type: 'restoring', progress });
      },
    });
    this.asked = new AskedInstance(() => this.instance.atWork);
  }

  /** Settles when the instance has ended; rejects with what it failed with. */
  async run(): Promise<void> {
    await this.instance.start();
    const layout = this.instance.atWork?.layout;
    if (layout !== undefined) this.post({ type: 'started', layout: inputsOf(layout) });
    await this.instance.ended;
  }

  told(message: ToWorker): void {
    switch (message.type) {
      case 'watch':
        this.watched = new Set(message.topics);
        break;
      case 'close':
        this.post({ type: 'closing' });
        void this.instance.close(message.within, message.leaveGroup);
        break;
      case 'stop-application':
        this.instance.stopAll(message.reason);
        break;
      case 'ask':
        void this.answer(message.id, message.question);
        break;
    }
  }

  private async answer(id: number, question: Parameters<AskedInstance['answer']>[0]): Promise<void> {
    const answer = await this.asked.answer(question).catch(() => undefined);
    this.post({ type: 'answer', id, answer });
  }

  /** Should this thread die, the main thread leaves the group for it. */
  private sayMember(): void {
    const memberId = this.instance.atWork?.memberId ?? '';
    if (memberId === this.memberId) return;
    this.memberId = memberId;
    this.post({ type: 'member', memberId });
  }
}

function asMillraceError(cause: unknown): MillraceError {
  if (cause instanceof MillraceError) return cause;
  return new MillraceError('WORKER_FAILED', `a worker thread ended with ${String(cause)}`, { cause });
}
