import type { Broker, KafkaPort, ProduceRequest } from '../../src/kafka/port';
import type { AnswerOf, ApiName, Call } from '../../src/memory/call';
import type { Turns } from './held-clock';

type Answer = AnswerOf<ApiName>;
type Method = (...args: unknown[]) => Promise<Answer>;

export interface Sender extends Turns {
  readonly isDead: boolean;
  readonly standsStill: boolean;
}

/** Told of what a process sends and hears. */
export interface Listener {
  sent(api: ApiName): void;
  answered(api: ApiName, answer: Answer): void;
}

/** A broker as one process sees it: what it sends and hears waits while it stands still, and is nothing when it has died. */
export class HeldBroker implements Broker {
  lastSent: ApiName | undefined;
  /** `lastSent` has come to the broker's door. */
  hasArrived = false;
  private readonly ports: KafkaPort[] = [];

  constructor(
    private readonly broker: Broker,
    private readonly clientId: string,
    private readonly process: Sender,
    private readonly listener: Listener,
  ) {}

  connect(): KafkaPort {
    const port = this.broker.connect(this.clientId);
    this.ports.push(port);
    return new Proxy(port, {
      get: (target, api: ApiName) => {
        const method = (target as unknown as Record<string, Method>)[api];
        if (method === undefined) return undefined;
        return (...args: unknown[]) => this.send(api, copied(api, args), (...given) => method.apply(target, given));
      },
    });
  }

  close(): void {
    for (const port of this.ports) void port.close();
  }

  isLastSent({ api }: Call): boolean {
    return this.lastSent === api;
  }

  private send(api: ApiName, args: unknown[], method: Method): Promise<Answer> {
    const { process } = this;
    if (process.isDead) return new Promise(() => undefined);
    return new Promise((resolve, reject) => {
      const go = (): void => {
        const request = args.find((each) => typeof each === 'object');
        if (request !== undefined) {
          this.lastSent = api;
          this.hasArrived = false;
          this.listener.sent(api);
        }
        method(...args).then(
          (answer) =>
            process.turn(() => {
              this.listener.answered(api, answer);
              resolve(answer);
            }),
          (error: Error) => process.turn(() => reject(error)),
        );
      };
      if (process.standsStill) process.turn(go);
      else go();
    });
  }
}

/** Whoever sends while it stands still may write on what it has sent before that is taken up. */
function copied(api: ApiName, args: unknown[]): unknown[] {
  if (api !== 'produce') return args;
  const [node, request] = args as [unknown, ProduceRequest];
  const partitions = request.partitions.map((each) => ({ ...each, records: Buffer.from(each.records) }));
  return [node, { ...request, partitions }];
}
