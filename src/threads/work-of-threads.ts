import type { InputsInOrder, WorkAtHand } from '../commit/caught-up';
import type { InstanceAtWork } from '../commit/instance-at-work';

/** What a thread is asked about its instance, for `until: 'caught-up'`. */
export type Question = 'mark' | 'through' | 'news' | 'commit';

/** What can cross of a layout. */
export function inputsOf({ inputs, repartitionOrder }: InputsInOrder): InputsInOrder {
  return { inputs: inputs.map(({ topic, partitions, internal }) => ({ topic, partitions, internal })), repartitionOrder };
}

/** In a worker: answers for its instance. */
export class AskedInstance {
  private isThrough: (() => boolean | Promise<boolean>) | undefined;

  constructor(private readonly atWork: () => InstanceAtWork | undefined) {}

  async answer(question: Question): Promise<unknown> {
    const instance = this.atWork();
    if (instance === undefined) return undefined;
    switch (question) {
      case 'mark':
        this.isThrough = instance.untilThrough();
        return instance.tasks;
      case 'through':
        return { isThrough: (await this.isThrough?.()) ?? false, tasks: instance.tasks } satisfies Progress;
      case 'news':
        return instance.hasNews();
      case 'commit':
        return instance.commit();
    }
  }
}

interface Progress {
  readonly isThrough: boolean;
  readonly tasks: readonly number[];
}

/** A thread that can be asked. */
export interface AskableThread {
  /** Undefined: it has ended, or has nothing to tell yet. */
  ask(question: Question): Promise<unknown>;
}

/** What all threads of a process have left to do. */
export class WorkOfThreads implements WorkAtHand {
  constructor(
    private readonly threads: () => readonly AskableThread[],
    /** Below it one is missing, and will be back. */
    private readonly count: number,
  ) {}

  /** Tasks that have moved between the threads since they were marked are marked anew. */
  readonly untilThrough = (): (() => Promise<boolean>) => {
    let marked = this.mark();
    return async () => {
      const before = await marked;
      const threads = this.threads();
      const now = (await Promise.all(threads.map((thread) => thread.ask('through')))) as (Progress | undefined)[];
      const isSame = threads.length === this.count && threads.every((thread, at) => sameTasks(before.get(thread), now[at]?.tasks));
      if (!isSame) marked = this.mark();
      return isSame && now.every((each) => each?.isThrough === true);
    };
  };

  readonly hasNews = async (): Promise<boolean> => (await this.askAll('news')).includes(true);

  readonly commit = async (): Promise<void> => {
    await this.askAll('commit');
  };

  private async mark(): Promise<ReadonlyMap<AskableThread, readonly number[] | undefined>> {
    const threads = this.threads();
    const tasks = (await Promise.all(threads.map((thread) => thread.ask('mark')))) as (readonly number[] | undefined)[];
    return new Map(threads.map((thread, at) => [thread, tasks[at]]));
  }

  private askAll(question: Question): Promise<unknown[]> {
    return Promise.all(this.threads().map((thread) => thread.ask(question)));
  }
}

function sameTasks(a: readonly number[] | undefined, b: readonly number[] | undefined): boolean {
  return a !== undefined && b !== undefined && a.length === b.length && a.every((task) => b.includes(task));
}
