import { MillraceError } from '../errors/millrace-error';
import { describeCode } from './describe-code';
import { describeProcess } from './duplicate-watch';
import { kafkaCode } from './error-codes';
import { decodeClaim } from './group-protocol';
import type { GroupRequests } from './group-requests';
import type { MembershipOptions } from './membership-options';
import type { GroupDescription } from './port';
import { Deadline, within } from './retrying';

/** ms to find out who it is; the membership is over in any case. */
const ASK_WITHIN_MS = 2_000;

type Options = Pick<MembershipOptions, 'port' | 'clock' | 'groupId' | 'groupInstanceId' | 'nonce'>;

/** Another process has joined with our instance id (82): who that is, as far as the group tells. */
export async function takenOver(options: Options, requests: GroupRequests): Promise<MillraceError> {
  const { port, clock, groupId, groupInstanceId, nonce } = options;
  const asking = requests.ask('DescribeGroups', (node) => port.describeGroup(node, groupId), false).catch(() => undefined);
  const described = await within(clock, new Deadline(clock, ASK_WITHIN_MS), asking);
  return new MillraceError(
    'INSTANCE_DUPLICATE',
    `instanceId "${String(groupInstanceId)}" of group "${groupId}" was taken over by another process${otherOf(described, groupInstanceId)} ` +
      `(${describeCode(kafkaCode.FENCED_INSTANCE_ID)}); this one, ${describeProcess(nonce)}, stops. Give each process its own instanceId`,
  );
}

function otherOf(described: GroupDescription | undefined, groupInstanceId: string | null): string {
  const other = described?.members.find((member) => member.groupInstanceId === groupInstanceId);
  if (other === undefined) return '';
  const { memberId, clientHost, metadata } = other;
  return `: member "${memberId}" at ${clientHost}${startOf(metadata)}`;
}

function startOf(metadata: Uint8Array): string {
  try {
    return metadata.length === 0 ? '' : `, ${describeProcess(decodeClaim(metadata).nonce)}`;
  } catch {
    // A program that is not ours.
    return '';
  }
}
