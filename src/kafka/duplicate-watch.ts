import { MillraceError } from '../errors/millrace-error';
import type { MemberOrder } from './group-protocol';
import type { MembershipOptions } from './membership-options';

interface DuplicateWatchOptions extends Pick<MembershipOptions, 'clock' | 'logger' | 'groupId' | 'instance' | 'nonce'> {
  /** A process that died while it joined is out of the group by then. */
  readonly patienceMs: number;
}

/** A leader says that another process works under our instance id. It may be one that died as it joined: then it is not said for long. */
export class DuplicateWatch {
  readonly #options: DuplicateWatchOptions;
  #told: { readonly nonce: string; readonly at: number } | undefined;

  constructor(options: DuplicateWatchOptions) {
    this.#options = options;
  }

  /**
   * @returns ms after which to ask the group again; undefined: there is no other
   * @throws INSTANCE_DUPLICATE when it was said for long enough
   */
  hear({ to, duplicateOf }: MemberOrder): number | undefined {
    const { clock, logger, groupId, instance, nonce, patienceMs } = this.#options;
    if (duplicateOf === undefined || duplicateOf === nonce || (to !== undefined && to.nonce !== nonce)) {
      this.#told = undefined;
      return undefined;
    }
    const now = clock.monotonic();
    if (this.#told?.nonce !== duplicateOf) this.#told = { nonce: duplicateOf, at: now };
    const leftMs = this.#told.at + patienceMs - now;
    if (leftMs <= 0) throw this.#error(duplicateOf);
    const fields = { group: groupId, instance, other: duplicateOf };
    logger.warn(fields, 'another process works under this instance id; this one waits without tasks, and stops if that goes on');
    return leftMs;
  }

  #error(other: string): MillraceError {
    const { groupId, instance, nonce, patienceMs } = this.#options;
    return new MillraceError(
      'INSTANCE_DUPLICATE',
      `Two processes of group "${groupId}" use instance "${instance}": ${describeProcess(other)} stays; this one, ${describeProcess(nonce)}, ` +
        `stops, having been told so for ${patienceMs} ms. Give each its own instanceId, or a state directory that it does not copy from another.`,
    );
  }
}

/** A nonce begins with the ms at which its process started. */
export function describeProcess(nonce: string): string {
  const start = Number.parseInt(nonce, 10);
  return Number.isNaN(start) ? `process ${nonce}` : `process ${nonce} (started ${new Date(start).toISOString()})`;
}
