import { type Either, left, right } from 'fp-ts/Either';
import { MillraceError } from '../../../src/errors/millrace-error';
import { string } from '../../../src/codec/primitives';
import { topic } from '../../../src/codec/topic';
import type { Codec } from '../../../src/model/codec';
import { noOrigin } from '../../../src/model/origin';
import { KafkaRecord } from '../../../src/model/record';
import type { TopicOptions } from '../../../src/model/topic';
import type { Chance } from '../chance';
import { KEYS, type Text } from '../program';

const POISON = '!';

/** Cannot be read as a text. */
export const isPoison = (value: string): boolean => value.startsWith(POISON);

const picky: Codec<string> = {
  encode: (value) => value,
  decode: (bytes): Either<Error, string> => {
    const text = Buffer.from(bytes).toString('utf8');
    return isPoison(text) ? left(new MillraceError('DECODE', `"${text}" cannot be read`)) : right(text);
  },
};

/** A topic with poison in it, which is passed over. */
export function inputOf(name: string, options: TopicOptions<string> = {}): ReturnType<typeof topic<string, string>> {
  return topic(name, { key: string, value: picky, onDecodeError: 'skip', ...options });
}

export function record(key: string, value: string, timestamp: number): Text {
  return KafkaRecord.of(key, value, timestamp, noOrigin);
}

const ROUND_MS = 4_000;
const DISORDER_MS = 5_000;
const COLOURS = ['red', 'green', 'blue', 'white'];

let serial = 0;

/** Numbers of what is written begin anew. */
export function restartNumbers(): void {
  serial = 0;
}

/** Some records of the round's event time, out of order, some of them poisonous; each value is `colour number`. */
export function someRecords(chance: Chance, round: number, most: number): Text[] {
  return Array.from({ length: chance.below(most + 1) }, () => {
    const time = Math.max(0, round * ROUND_MS + chance.below(ROUND_MS) - chance.below(DISORDER_MS));
    const value = `${chance.oneOf(COLOURS)} ${serial++}`;
    return record(chance.oneOf(KEYS), chance.below(20) === 0 ? `${POISON}${value}` : value, time);
  });
}

/** One of each key, at a time. */
export function oneOfEach(time: number): Text[] {
  return KEYS.map((key) => record(key, `${COLOURS[serial % COLOURS.length]!} ${serial++}`, time));
}

/** So that every partition comes to that time, whatever keys lie on it. */
export function manyAt(time: number): Text[] {
  return Array.from({ length: 40 }, (_, at) => record(`end${at}`, `red ${serial++}`, time));
}

/** Of the same order as the values of `someRecords`. */
export const colourOf = (value: string): string => value.split(' ')[0]!;
