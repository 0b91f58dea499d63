import type { Adapters } from '../commit/adapters';
import { caughtUp, type InputsInOrder, type WorkAtHand } from '../commit/caught-up';
import type { CheckedConfig } from '../config';
import { ClusterView } from '../kafka/cluster-view';
import { OffsetReader } from '../kafka/offsets';
import type { KafkaPort } from '../kafka/port';

/** ms between two looks at the committed offsets of the whole group. */
const CAUGHT_UP_POLL_MS = 50;

/** What the main thread itself asks the brokers, over a connection of its own that is made when it is needed. */
export class GroupClient {
  private connected: { readonly port: KafkaPort; readonly view: ClusterView } | undefined;

  constructor(
    private readonly config: CheckedConfig,
    private readonly adapters: Adapters,
  ) {}

  /** For a member that has died: otherwise its tasks would wait for its session to end. Never rejects. */
  async leaveFor(memberId: string): Promise<void> {
    const { applicationId: groupId, logger } = this.config;
    try {
      const { port, view } = this.connect();
      const node = await view.coordinator('group', groupId);
      await port.leaveGroup(node, { groupId, members: [{ memberId, groupInstanceId: null }] });
    } catch (cause) {
      logger.warn({ group: groupId, member: memberId, cause: String(cause) }, 'could not leave the group for a thread that has died');
    }
  }

  /** See `caughtUp`. */
  untilCaughtUp(layout: InputsInOrder, work: WorkAtHand, stopped: () => boolean): Promise<boolean> {
    const { port, view } = this.connect();
    const { clock } = this.adapters;
    const offsets = new OffsetReader({ port, view, clock });
    return caughtUp({ layout, offsets, clock, groupId: this.config.applicationId, pollMs: CAUGHT_UP_POLL_MS, stopped, ...work });
  }

  async close(): Promise<void> {
    await this.connected?.port.close();
  }

  private connect(): { readonly port: KafkaPort; readonly view: ClusterView } {
    if (this.connected === undefined) {
      const { config, adapters } = this;
      const port = adapters.broker.connect(config.applicationId);
      const view = new ClusterView({ port, clock: adapters.clock, logger: config.logger, giveUpAfterMs: config.connectTimeout });
      this.connected = { port, view };
    }
    return this.connected;
  }
}
