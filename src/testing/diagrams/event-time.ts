import { MillraceError } from '../../errors/millrace-error';
import type { Duration } from '../../model/duration';
import type { KafkaRecord } from '../../model/record';
import { record } from '../record';

/** What a marble says: `ada12=x` is key `ada`, event time 12, text `x`. */
export interface TimedMarble {
  readonly key: string;
  /** Event time, ms since the epoch. */
  readonly timestamp: number;
  /** What stands behind `=`, or ''. */
  readonly text: string;
}

/** Of `records` and `diagram`. */
export interface TimedMarbleOptions {
  /** ms of event time that 1 stands for; default 1. */
  readonly unit?: Duration;
}

type ValueOf<V> = (marble: TimedMarble) => V;

/** Key, event time, and a text behind `=` that ends where the diagram goes on. */
const MARBLE = /([A-Za-z_]+)(\d+)(?:=([^\s()|#^!-]+))?/y;
const PROGRESSION = /\d+(?:\.\d+)?(?:ms|s|m)(?=\s|$)/y;
const SYMBOLS = 'abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ';

/**
 * Records with event time, one a marble: `a1` has key `a` and event time 1. Spaces and `-` part them and mean nothing.
 *
 * @throws CONFIG for anything else in the text, with its place
 * @example
 * test.pipe(clicks, ...records('ada1 bob5 ada7', ({ key }) => ({ user: key, page: '/' })));
 */
export function records(text: string): KafkaRecord<string, string>[];
/** The same with values made from what a marble says: its key, event time and text. */
export function records<V>(text: string, valueOf: ValueOf<V>, options?: TimedMarbleOptions): KafkaRecord<string, V>[];
export function records(
  text: string,
  valueOf: ValueOf<unknown> = textOf,
  options: TimedMarbleOptions = {},
): KafkaRecord<string, unknown>[] {
  return tokensOf(text).flatMap(({ read, at, marble }) => {
    if (marble !== undefined) return recordOf(marble, valueOf, options);
    if (!/^[\s-]$/.test(read)) throw misread(text, at);
    return [];
  });
}

/**
 * An RxJS marble diagram of records with event time, to be spread into `cold` or `hot`. A column is a frame, however long a marble is,
 * so that diagrams under each other stay aligned; `|`, `#`, `^`, `!`, `(…)` and ` 10ms ` mean what they mean in RxJS.
 *
 * ```text
 * in   --a1---a4---a6--|      number = event time
 * ```
 * @throws CONFIG for anything else in the text, with its place
 * @example
 * cold(...diagram('--a1---a4---a6--|')).pipe(windowTumbling({ size: 5 }), countWithStore(memoryStore(counts)))
 */
export function diagram(text: string): [marbles: string, values: Record<string, KafkaRecord<string, string>>];
/** The same with values made from what a marble says: its key, event time and text. */
export function diagram<V>(
  text: string,
  valueOf: ValueOf<V>,
  options?: TimedMarbleOptions,
): [marbles: string, values: Record<string, KafkaRecord<string, V>>];
export function diagram(
  text: string,
  valueOf: ValueOf<unknown> = textOf,
  options: TimedMarbleOptions = {},
): [string, Record<string, KafkaRecord<string, unknown>>] {
  const symbols = new Map<string, string>();
  const values: Record<string, KafkaRecord<string, unknown>> = {};
  let marbles = '';
  /** Columns that the marbles of the open group take beyond one each: they come behind it. Undefined: no group is open. */
  let owed: number | undefined;
  for (const { read, marble } of tokensOf(text)) {
    if (marble !== undefined) {
      const symbol = symbols.get(read) ?? symbolFor(symbols.size);
      symbols.set(read, symbol);
      values[symbol] ??= recordOf(marble, valueOf, options);
      const beyond = read.length - 1;
      marbles += owed === undefined ? symbol + '-'.repeat(beyond) : symbol;
      if (owed !== undefined) owed += beyond;
    } else if (read === ')') {
      marbles += read + '-'.repeat(owed ?? 0);
      owed = undefined;
    } else {
      marbles += read;
      if (read === '(') owed = 0;
    }
  }
  return [marbles, values];
}

interface Token {
  readonly read: string;
  /** Column. */
  readonly at: number;
  readonly marble: RegExpExecArray | undefined;
}

function tokensOf(text: string): Token[] {
  const tokens: Token[] = [];
  for (let at = 0; at < text.length;) {
    const marble = marbleAt(text, at);
    const read = marble?.[0] ?? progressionAt(text, at) ?? text.charAt(at);
    if (marble === undefined && read.length === 1 && !/[\s|#^!()-]/.test(read)) throw misread(text, at);
    tokens.push({ read, at, marble });
    at += read.length;
  }
  return tokens;
}

const textOf = ({ text }: TimedMarble): string => text;

function marbleAt(text: string, at: number): RegExpExecArray | undefined {
  MARBLE.lastIndex = at;
  return MARBLE.exec(text) ?? undefined;
}

function progressionAt(text: string, at: number): string | undefined {
  if (at > 0 && !/\s/.test(text.charAt(at - 1))) return undefined;
  PROGRESSION.lastIndex = at;
  return PROGRESSION.exec(text)?.[0];
}

function recordOf(
  [, key = '', time, text = '']: RegExpExecArray,
  valueOf: ValueOf<unknown>,
  { unit = 1 }: TimedMarbleOptions,
): KafkaRecord<string, unknown> {
  const timestamp = Number(time) * unit;
  return record(key, valueOf({ key, timestamp, text }), timestamp);
}

function symbolFor(count: number): string {
  return SYMBOLS[count] ?? String.fromCharCode(0x3b1 + count - SYMBOLS.length);
}

function misread(text: string, at: number): MillraceError {
  return new MillraceError(
    'CONFIG',
    `"${text}", column ${at}: "${text.charAt(at)}" is no marble; a record is its key in letters and its event time, as in a1, or a1=text`,
  );
}
