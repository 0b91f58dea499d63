import type { Broker, KafkaPort } from '../../kafka/port';
import type { AnswerOf, ApiName } from '../../memory/call';

/** A broker as one process sees it, until that process dies. */
export class MortalBroker implements Broker {
  private readonly ports: KafkaPort[] = [];
  private dead = false;

  constructor(
    private readonly broker: Broker,
    private readonly name: string,
  ) {}

  connect(): KafkaPort {
    const port = this.broker.connect(this.name);
    this.ports.push(port);
    return new Proxy(port, {
      get: (target, api: ApiName) => {
        const method = (target as unknown as Record<string, (...args: unknown[]) => Promise<AnswerOf<ApiName>>>)[api];
        if (method === undefined) return undefined;
        return (...args: unknown[]) => (this.dead ? silence() : method.apply(target, args).then(this.unlessDead, this.unlessDeadFailed));
      },
    });
  }

  kill(): void {
    this.dead = true;
    for (const port of this.ports) void port.close();
  }

  private readonly unlessDead = <T>(answer: T): T | Promise<T> => (this.dead ? silence() : answer);
  private readonly unlessDeadFailed = (error: Error): Promise<never> => (this.dead ? silence() : Promise.reject(error));
}

function silence(): Promise<never> {
  return new Promise(() => undefined);
}
