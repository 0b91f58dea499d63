/** One comparison off by its bound, and the results of Kafka Streams that must tell. */
export interface PlantedEdit {
  readonly rule: string;
  /** Path of the source. */
  readonly file: string;
  /** Found exactly once in it. */
  readonly text: string;
  readonly becomes: string;
  /** File of vectors of which at least one case must fail. */
  readonly caughtBy: string;
}

const ACCEPTS_ROW = {
  file: 'operators/rows/open-rows.ts',
  text: 'return time >= eventTime - this.ages.closesAfter',
  becomes: 'return time > eventTime - this.ages.closesAfter',
};
const CLOSES_ROW = {
  file: 'operators/rows/close-rows.ts',
  text: 'return this.index.earliest < this.rows.closedBefore()',
  becomes: 'return this.index.earliest <= this.rows.closedBefore()',
};
const ACCEPTS_WINDOW = {
  file: 'operators/windowed/fold-in-windows.ts',
  text: 'window.end > this.eventTime.value - this.grace',
  becomes: 'window.end >= this.eventTime.value - this.grace',
};
const CLOSES_WINDOW = {
  file: 'operators/windowed/close-windows.ts',
  text: 'this.end > eventTime.value - bounds.grace',
  becomes: 'this.end >= eventTime.value - bounds.grace',
};
const SESSIONS = 'operators/session/fold-in-sessions.ts';
const SLIDING = 'operators/sliding/fold-in-sliding-windows.ts';

export const plantedEdits: readonly PlantedEdit[] = [
  { rule: 'a tumbling window accepts', ...ACCEPTS_WINDOW, caughtBy: 'tumbling.json' },
  { rule: 'a tumbling window closes', ...CLOSES_WINDOW, caughtBy: 'tumbling.json' },
  { rule: 'a hopping window accepts', ...ACCEPTS_WINDOW, caughtBy: 'hopping.json' },
  { rule: 'a hopping window closes', ...CLOSES_WINDOW, caughtBy: 'hopping.json' },
  { rule: 'a sliding window accepts', ...ACCEPTS_ROW, caughtBy: 'sliding.json' },
  { rule: 'a sliding window closes', ...CLOSES_ROW, caughtBy: 'sliding.json' },
  { rule: 'a session accepts', ...ACCEPTS_ROW, caughtBy: 'session.json' },
  { rule: 'a session closes', ...CLOSES_ROW, caughtBy: 'session.json' },
  {
    rule: 'a session before a record is met',
    file: SESSIONS,
    text: 'end >= timestamp - gap',
    becomes: 'end > timestamp - gap',
    caughtBy: 'session.json',
  },
  {
    rule: 'a session behind a record is met',
    file: SESSIONS,
    text: 'start - gap <= timestamp',
    becomes: 'start - gap < timestamp',
    caughtBy: 'session.json',
  },
  {
    rule: 'a right window of the record before',
    file: SLIDING,
    text: 'if (start < timestamp - this.difference) return;',
    becomes: 'if (start <= timestamp - this.difference) return;',
    caughtBy: 'sliding.json',
  },
  {
    rule: 'a left window takes what lies in the one before',
    file: SLIDING,
    text: 'before.timestamp >= start',
    becomes: 'before.timestamp > start',
    caughtBy: 'sliding.json',
  },
  {
    rule: 'a session is seen',
    file: SESSIONS,
    text: 'end > hidden &&',
    becomes: 'end >= hidden &&',
    caughtBy: 'session.json',
  },
];
