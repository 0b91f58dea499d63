import type { Logger } from '../model/logger';
import { delay, type Clock } from '../time/clock';
import type { ClusterView } from './cluster-view';
import type { NodeId } from './port';
import { coordinatorBusy, coordinatorMoved } from './retriable-codes';
import { isUnread, steady } from './retrying';

export interface GroupRequestsOptions {
  readonly view: ClusterView;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly groupId: string;
}

/** Requests to the group's coordinator, wherever that is. */
export class GroupRequests {
  private stopped = false;

  constructor(private readonly options: GroupRequestsOptions) {}

  /** What fails from now on is not worth a word. */
  stop(): void {
    this.stopped = true;
  }

  /** Asks once; undefined: the coordinator moved, is loading, or the answer was never read. With `wait`, after a short pause. */
  async ask<A extends { readonly errorCode: number }>(
    what: string,
    send: (node: NodeId) => Promise<A>,
    wait = true,
  ): Promise<A | undefined> {
    const { clock, view, groupId, logger } = this.options;
    try {
      const answer = await send(await this.coordinator());
      if (!coordinatorBusy.has(answer.errorCode)) return answer;
      if (coordinatorMoved.has(answer.errorCode)) view.forgetCoordinator('group', groupId);
    } catch (cause) {
      if (!isUnread(cause)) throw cause;
      if (this.stopped) return undefined;
      logger.warn({ group: groupId, cause: cause.message }, `${what} was not answered`);
      view.forgetCoordinator('group', groupId);
    }
    if (wait) await delay(clock, steady(0, clock));
    return undefined;
  }

  coordinator(): Promise<NodeId> {
    return this.options.view.coordinator('group', this.options.groupId);
  }
}
