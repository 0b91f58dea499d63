import { MillraceError } from '../errors/millrace-error';
import type { Logger } from '../model/logger';
import { noOrigin, type Origin, sourceOf } from '../model/origin';
import type { Source } from './assembly';
import { sourceKey } from './assembly';

/** Uses of RxJS that would lose or double data: noticed when they happen, warned about once, refused under `strict`. */
export class Misuse {
  private readonly warned = new Set<string>();

  constructor(
    private readonly options: { readonly partition: number; readonly strict: boolean; readonly logger: Logger },
    /** What makes the push under way, or the task, fail. */
    private readonly refuse: (error: MillraceError) => void,
  ) {}

  /** An output must belong to the record being pushed, or a crash between the two loses or doubles it. False: it is refused. */
  allowsOutput(pushing: boolean, origin: Origin, pushed: Origin): boolean {
    if (pushing && (sourceOf(origin) === pushed || origin === noOrigin)) return true;
    const why = pushing
      ? 'belongs to an earlier record (bufferCount, zip?)'
      : 'comes outside a push (startWith, debounceTime off task.clock?)';
    return this.allows(why, new MillraceError('OUTPUT_OUTSIDE_PUSH', `an output ${why}: a crash may lose or double it`));
  }

  subscribedLate(source: Source): void {
    const { name } = source.topic;
    const late = `"${name}" was subscribed after the topology had been assembled; what was pushed before is not seen by that subscriber`;
    // Not thrown: a `retry` that is subscribing would take it for one more failure to be tried again.
    this.allows(sourceKey(name, source.internal), new MillraceError('LATE_SUBSCRIPTION', late, { where: { topic: name } }));
  }

  /** A source that a subscriber has left would swallow records: the partition stays where it is. */
  abandoned(topic: string, remaining: number): MillraceError {
    const who = remaining === 0 ? `nobody is subscribed to "${topic}" any more` : `a subscriber of "${topic}" has left`;
    const how = '(take, first, or catchError without a source?)';
    return new MillraceError('NO_SUBSCRIBERS', `${who} ${how}; the partition stays at this record`);
  }

  /** Warns of each use once. */
  private allows(what: string, error: MillraceError): boolean {
    if (this.options.strict) {
      this.refuse(error);
      return false;
    }
    if (this.warned.has(what)) return true;
    this.warned.add(what);
    this.options.logger.warn({ code: error.code, task: this.options.partition }, error.message);
    return true;
  }
}
