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

  /** An output must belong to the record being pushed, or a crash between the two loses or doubles it. */
  checkOutput(pushing: boolean, origin: Origin, pushed: Origin): void {
    if (pushing && (sourceOf(origin) === pushed || origin === noOrigin)) return;
    const why = pushing
      ? 'belongs to an earlier record (bufferCount, zip?)'
      : 'comes outside a push (startWith, debounceTime off task.clock?)';
    this.notice(why, new MillraceError('OUTPUT_OUTSIDE_PUSH', `an output ${why}: a crash may lose or double it`));
  }

  subscribedLate(source: Source): void {
    const { name } = source.topic;
    const late = `"${name}" was subscribed after the topology had been assembled; what was pushed before is not seen by that subscriber`;
    const error = new MillraceError('LATE_SUBSCRIPTION', late, { where: { topic: name } });
    if (this.options.strict) throw error;
    this.warn(sourceKey(name, source.internal), error);
  }

  /** A source without subscriber would swallow records: the partition stays where it is. */
  abandoned(topic: string): MillraceError {
    const how = '(take, first, or catchError without a source?)';
    return new MillraceError('NO_SUBSCRIBERS', `nobody is subscribed to "${topic}" any more ${how}; the partition stays at this record`);
  }

  private notice(what: string, error: MillraceError): void {
    if (this.options.strict) this.refuse(error);
    else this.warn(what, error);
  }

  private warn(what: string, error: MillraceError): void {
    if (this.warned.has(what)) return;
    this.warned.add(what);
    this.options.logger.warn({ code: error.code, task: this.options.partition }, error.message);
  }
}
