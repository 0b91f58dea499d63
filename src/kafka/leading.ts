import type { Logger } from '../model/logger';
import { assign, type AssignOptions } from './assignor';
import { decodeClaim, encodeOrder, type MemberClaim } from './group-protocol';
import type { JoinGroupAnswer, TopicPartition } from './port';
import { rememberersOf } from './rememberers';
import { stopWordOf } from './stop-word';

export interface LeadOptions extends AssignOptions {
  readonly partitionsOf: (task: number) => readonly TopicPartition[];
  /** Told the claims; gives the transactional ids that the group has to remember. */
  readonly producersOf: (claims: readonly MemberClaim[]) => readonly string[];
  readonly groupId: string;
  readonly logger: Logger;
}

interface GroupOrders {
  readonly assignments: readonly { readonly memberId: string; readonly assignment: Uint8Array }[];
  /** Of all claims and orders; undefined: another leads. */
  readonly bytes: number | undefined;
}

export const NO_ORDERS: GroupOrders = { assignments: [], bytes: undefined };

/** Of the 1,048,588 that a record of the group may have by default. */
const LARGE_GROUP_BYTES = 750_000;
export const LARGE_GROUP =
  "The broker keeps them in one record of __consumer_offsets, of 1 MB at most unless that topic's max.message.bytes is raised; beyond it nobody " +
  'can join any more. Remove what lies unused under the state directories, or run fewer instances';

/** What the leader tells every member, from what all of them claim. */
export function ordersOf({ generationId, memberId: leaderId, members }: JoinGroupAnswer, options: LeadOptions): GroupOrders {
  const { partitionsOf, producersOf, groupId, logger, taskCount: tasks } = options;
  const claims = members.map(({ memberId, metadata }) => ({ ...decodeClaim(metadata), memberId }));
  const { orders } = assign(claims, options);
  const producers = producersOf(claims);
  const rememberers = rememberersOf(claims, leaderId);
  const stop = stopWordOf(claims, generationId);
  let bytes = members.reduce((sum, { metadata }) => sum + metadata.length, 0);
  const assignments = claims.map(({ memberId, nonce, plan, taskCount, owned }) => {
    const { active = [], ...others } = orders.get(memberId) ?? {};
    const givesUp = owned.some((task) => !active.includes(task));
    const assignment = encodeOrder(active.flatMap(partitionsOf), {
      tasks: active,
      ...others,
      to: {
        nonce,
        ...(plan === undefined ? {} : { plan }),
        ...(taskCount === undefined ? {} : { taskCount }),
        ...(givesUp ? { givesUp } : {}),
      },
      ...(rememberers.has(memberId) ? { producers } : {}),
      ...(stop === undefined ? {} : { stop }),
    });
    bytes += assignment.length;
    return { memberId, assignment };
  });
  const fields = { group: groupId, generation: generationId, members: members.length, tasks };
  logger.info(fields, 'assigning tasks');
  if (bytes > LARGE_GROUP_BYTES) {
    logger.warn({ ...fields, bytes }, `claims and orders of this group have ${String(bytes)} bytes. ${LARGE_GROUP}`);
  }
  return { assignments, bytes };
}
