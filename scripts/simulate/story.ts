import type { SeedResult } from './seed-result';

/** What ends a run at once. */
export class Violation extends Error {}

/** What happens in a run, in order, and what is not as it must be. */
export class Story implements Pick<SeedResult, 'story' | 'violations' | 'gaveUp' | 'events'> {
  readonly story: string[] = [];
  readonly violations: string[] = [];
  readonly gaveUp: string[] = [];
  readonly events: Record<string, number> = {};

  constructor(private readonly time: () => number) {}

  readonly say = (what: string): void => {
    this.story.push(`${String(this.time()).padStart(9)} ${what}`);
  };

  /** Something that went wrong by plan, other than at an await. */
  readonly happened = (event: string, what: string): void => {
    this.events[event] = (this.events[event] ?? 0) + 1;
    this.say(what);
  };

  readonly violated = (what: string): void => {
    this.violations.push(what);
    this.say(`VIOLATED: ${what}`);
  };

  readonly hasGivenUp = (error: Error): void => {
    // A folder that is open twice within one process: nobody else on its machine lives.
    if (error.message.startsWith('SLOT_IN_USE')) this.violated(`an instance gave up: ${error.message}`);
    this.gaveUp.push(error.message.replace(/\d+/g, 'N').slice(0, 90));
  };
}
