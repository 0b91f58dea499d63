import { AskedInstance, WorkOfThreads, type AskableThread } from '../../src/threads/work-of-threads';
import type { InstanceAtWork } from '../../src/commit/instance-at-work';

/** An instance that the test moves tasks into and out of; through when all its tasks are done that it had when it was marked. */
class FakeInstance implements AskableThread {
  commits = 0;
  hasNews = false;
  isDead = false;
  readonly done = new Set<number>();
  readonly ask: AskableThread['ask'];

  constructor(public tasks: number[]) {
    const asked = new AskedInstance(() => this as unknown as InstanceAtWork);
    this.ask = async (question) => {
      if (this.isDead) return undefined;
      // As a message: what it was when the question came.
      if (question === 'news') return this.hasNews;
      if (question === 'commit') return void this.commits++;
      return structuredClone(await asked.answer(question));
    };
  }

  untilThrough(): () => boolean {
    const marked = [...this.tasks];
    return () => marked.every((task) => this.done.has(task));
  }
}

describe('what several threads have left to do', () => {
  it('they are through when each of them is', async () => {
    const [a, b] = [new FakeInstance([0, 1]), new FakeInstance([2, 3])];
    const isThrough = new WorkOfThreads(() => [a, b], 2).untilThrough();
    expect(await isThrough()).toBe(false);
    for (const task of [0, 1, 2]) a.done.add(task);
    expect(await isThrough()).toBe(false);
    for (const task of [2, 3]) b.done.add(task);
    expect(await isThrough()).toBe(true);
  });

  it('a task that has moved is waited for where it is now', async () => {
    const [a, b] = [new FakeInstance([0, 1]), new FakeInstance([])];
    const isThrough = new WorkOfThreads(() => [a, b], 2).untilThrough();
    expect(await isThrough()).toBe(false);
    for (const task of [0, 1]) a.done.add(task);
    a.tasks = [0];
    b.tasks = [1];
    // Marked anew, and then task 1 is not done in its new place.
    expect(await isThrough()).toBe(false);
    expect(await isThrough()).toBe(false);
    b.done.add(1);
    expect(await isThrough()).toBe(true);
  });

  it('a thread that has died is waited for until another has taken its place', async () => {
    const [a, b] = [new FakeInstance([0]), new FakeInstance([1])];
    for (const each of [a, b]) for (const task of [0, 1]) each.done.add(task);
    let threads: FakeInstance[] = [a, b];
    const isThrough = new WorkOfThreads(() => threads, 2).untilThrough();
    expect(await isThrough()).toBe(true);
    b.isDead = true;
    expect(await isThrough()).toBe(false);
    threads = [a];
    expect(await isThrough()).toBe(false);
    const again = new FakeInstance([1]);
    again.done.add(1);
    threads = [a, again];
    expect(await isThrough()).toBe(false);
    expect(await isThrough()).toBe(true);
  });

  it('news of one are news; all of them commit', async () => {
    const [a, b] = [new FakeInstance([0]), new FakeInstance([1])];
    const work = new WorkOfThreads(() => [a, b], 2);
    expect(await work.hasNews()).toBe(false);
    b.hasNews = true;
    expect(await work.hasNews()).toBe(true);
    await work.commit();
    expect([a.commits, b.commits]).toEqual([1, 1]);
  });
});
