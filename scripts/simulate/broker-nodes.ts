import type { MemoryBroker } from '../../src/memory/memory-broker';
import type { Chance } from './chance';
import type { Inputs } from './inputs';
import { APP } from './program';
import type { Schedule } from './schedule';
import type { Story } from './story';

/** ms for which a node is away, at most; short of what any client waits for. */
const LONGEST_AWAY = 14_000;
const LONGEST_ELECTION = 5_000;
const LONGEST_LOAD = 1_500;
const AGAIN = 20;

/** What happens to the machines of the cluster: they die and come back, and who leads and coordinates moves. */
export class BrokerNodes {
  private readonly away = new Set<number>();
  private readonly clock;
  private isCalm = false;

  constructor(
    private readonly options: {
      readonly broker: MemoryBroker;
      readonly nodes: number;
      readonly inputs: Inputs;
      readonly schedule: Schedule;
      readonly chance: Chance;
      readonly story: Story;
    },
  ) {
    this.clock = options.schedule.clock();
  }

  /** In each round. */
  disturb(): void {
    const { chance, nodes } = this.options;
    // Some of it at once, some of it while the round goes on.
    const later = (work: () => void): void => void this.clock.setTimer(chance.below(1_000), work);
    if (nodes > 1 && chance.below(3) === 0) later(() => this.moveLeaders());
    if (nodes > 1 && chance.below(3) === 0) later(() => this.moveCoordinator());
    if (chance.below(5) === 0) later(() => this.stop());
  }

  /** Nothing of it lasts beyond this. */
  calm(): void {
    this.isCalm = true;
    for (const node of [...this.away]) this.start(node);
  }

  private moveLeaders(): void {
    const { broker, chance, story } = this.options;
    const topic = chance.oneOf(broker.topics());
    const to = this.someNode();
    for (let partition = 0; broker.partition({ topic, partition }) !== undefined; partition++) {
      if (chance.below(2) === 0) continue;
      story.happened('leader moved', `broker ${to} leads ${topic}-${partition}`);
      broker.moveLeader({ topic, partition }, to);
    }
  }

  private moveCoordinator(): void {
    const { broker, chance, story } = this.options;
    const to = this.someNode();
    const loadMs = chance.below(3) === 0 ? 0 : chance.below(LONGEST_LOAD);
    const ids = broker.transactions().map(({ transactionalId }) => transactionalId);
    const [type, key] =
      ids.length === 0 || chance.below(2) === 0 ? (['group', APP] as const) : (['transaction', chance.oneOf(ids)] as const);
    story.happened('coordinator moved', `broker ${to} coordinates ${type} ${key}, after ${loadMs} ms`);
    broker.moveCoordinator(type, key, to, loadMs);
  }

  private stop(): void {
    const { broker, chance, inputs, nodes, story } = this.options;
    if (this.away.size > 0 || this.isCalm) return;
    if (!inputs.isWritten) {
      this.clock.setTimer(AGAIN, () => this.stop());
      return;
    }
    const node = 1 + chance.below(nodes);
    const ms = 1 + chance.below(chance.below(3) === 0 ? LONGEST_AWAY : 2_000);
    const electionMs = nodes > 1 && chance.below(3) > 0 ? chance.below(LONGEST_ELECTION) : undefined;
    this.away.add(node);
    inputs.mustWait = true;
    story.happened('broker died', `broker ${node} dies for ${ms} ms, others take over after ${electionMs ?? 'never'}`);
    broker.stopNode(node, electionMs);
    this.clock.setTimer(ms, () => this.start(node));
  }

  private start(node: number): void {
    if (!this.away.delete(node)) return;
    this.options.story.say(`broker ${node} is back`);
    this.options.broker.startNode(node);
    this.options.inputs.mustWait = false;
  }

  private someNode(): number {
    const { chance, nodes } = this.options;
    const up = Array.from({ length: nodes }, (_, index) => index + 1).filter((node) => !this.away.has(node));
    return up.length === 0 ? 1 : chance.oneOf(up);
  }
}
