/** A service that programs of these tests look up in: it answers when the test says so, or after a time. */
import type { LookupFetch } from '../../operators';

interface Question {
  readonly id: string;
  readonly signal: AbortSignal;
  readonly answer: (value: string) => void;
  readonly refuse: (cause: Error) => void;
}

export class Service {
  /** Everything that was ever asked, in order. */
  readonly asked: Question[] = [];
  private readonly open = new Set<Question>();

  readonly fetch: LookupFetch<string, string> = (id, signal) =>
    new Promise((resolve, reject) => {
      const settle =
        <T>(how: (with_: T) => void) =>
        (value: T): void => {
          this.open.delete(question);
          how(value);
        };
      const question: Question = { id, signal, answer: settle(resolve), refuse: settle(reject) };
      signal.addEventListener('abort', () => {
        question.refuse(new Error('aborted'));
      });
      this.asked.push(question);
      this.open.add(question);
    });

  get ids(): readonly string[] {
    return this.asked.map(({ id }) => id);
  }

  /** Waits for an answer. */
  get waiting(): readonly string[] {
    return [...this.open].map(({ id }) => id);
  }

  /** The first that waits for this one. */
  answer(id: string, value = `${id}!`): void {
    this.question(id).answer(value);
  }

  refuse(id: string): void {
    this.question(id).refuse(new Error(`${id} is refused`));
  }

  answerAll(): void {
    for (const { id, answer } of [...this.open]) answer(`${id}!`);
  }

  private question(id: string): Question {
    const found = [...this.open].find((question) => question.id === id);
    if (found === undefined) throw new Error(`nobody waits for ${id}; waiting: ${this.waiting.join(', ')}`);
    return found;
  }
}
