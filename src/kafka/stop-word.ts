import { MillraceError } from '../errors/millrace-error';
import type { TimerHandle } from '../time/clock';
import type { MemberOrder, StopWord } from './group-protocol';
import type { MembershipOptions } from './membership-options';

type StopOfAllOptions = Pick<MembershipOptions, 'clock' | 'groupId' | 'nonce' | 'sessionTimeoutMs' | 'events'>;

/**
 * The word that the whole application is to stop, on its way through the group: from one member's claim to the leader, from there into
 * every order, and from whoever has heard it into its own claims until it has left. The leader that hears it first adds its generation;
 * who joins later is of the next deployment and is not meant.
 */
export class StopOfAll {
  #word: StopWord | undefined;
  /** The first generation in which the group has answered this process. */
  #since: number | undefined;
  #timer: TimerHandle | undefined;
  #hasTold = false;

  constructor(private readonly options: StopOfAllOptions) {}

  /** For this member's claim. */
  get word(): StopWord | undefined {
    return this.#word;
  }

  /** If the group cannot be joined within a session, this member stops alone. */
  say(reason: string): void {
    const { clock, sessionTimeoutMs } = this.options;
    this.#word ??= { reason };
    this.#timer ??= clock.setTimer(sessionTimeoutMs, () => {
      this.#tell(reason);
    });
  }

  hear({ to, stop }: MemberOrder, generation: number): void {
    // Meant for the process that was here before under the same instance id.
    if (to?.nonce !== this.options.nonce) return;
    this.#since ??= generation;
    if (stop?.generation === undefined || stop.generation < this.#since) return;
    this.#word = stop;
    this.#tell(stop.reason);
  }

  /** Nothing is told any more. */
  end(): void {
    this.#timer?.cancel();
    this.#hasTold = true;
  }

  #tell(reason: string): void {
    if (this.#hasTold) return;
    this.end();
    const { groupId, events } = this.options;
    const said = `All instances of group "${groupId}" stop, as one of them asked for: ${reason}`;
    events.stopAll(new MillraceError('APPLICATION_STOPPED', said));
  }
}

/** What a leader passes on: the word that came last. */
export function stopWordOf(claims: readonly { readonly stop?: StopWord }[], generation: number): StopWord | undefined {
  let last: (StopWord & { readonly generation: number }) | undefined;
  for (const { stop } of claims) {
    if (stop === undefined) continue;
    const word = { ...stop, generation: stop.generation ?? generation };
    if (last === undefined || word.generation > last.generation) last = word;
  }
  return last;
}
