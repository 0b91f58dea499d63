import { inspect } from 'node:util';
import { WindowedKey } from '../../../operators/windowed/windowed-key';
import { Outgoing } from '../../model/outgoing';
import { KafkaRecord } from '../../model/record';
import type { Windowed } from '../../model/window';
import { classOf, isComposite, same } from './same';

/** On one line, as short as it can be told: records as `"key": value @timestamp`. */
export function inWords(value: unknown): string {
  if (value instanceof Outgoing) return `${value.topic} ${short(value.key)}: ${short(value.value)} @${value.timestamp}`;
  if (value instanceof KafkaRecord) return `${short(value.key)}: ${short(value.value)} @${value.timestamp}`;
  return short(value);
}

/** Where two values differ first, in words; '' when they are equal. `path` names the place of the values themselves. */
export function firstDifference(actual: unknown, expected: unknown, path = ''): string {
  if (same(actual, expected)) return '';
  if (!isComposite(actual) || !isComposite(expected)) return `${named(path)} is ${inWords(actual)} instead of ${inWords(expected)}`;
  const [kind, wanted] = [kindOf(actual), kindOf(expected)];
  if (classOf(actual) !== classOf(expected)) return `${named(path)} is ${kind} instead of ${wanted}${hint(kind, wanted)}`;
  for (const part of new Set([...Object.keys(expected), ...Object.keys(actual)])) {
    const place = Array.isArray(expected) ? `${path}[${part}]` : path === '' ? part : `${path}.${part}`;
    if (!Object.hasOwn(actual, part)) return `${place} is missing; it should be ${inWords(expected[part])}`;
    if (!Object.hasOwn(expected, part)) return `${place} is ${inWords(actual[part])}, which is not expected`;
    const difference = firstDifference(actual[part], expected[part], place);
    if (difference !== '') return difference;
  }
  // What shows in no property: bytes, maps, sets.
  return `${named(path)} is ${inWords(actual)} instead of ${inWords(expected)}`;
}

function named(path: string): string {
  return path === '' ? 'it' : path;
}

function short(value: unknown): string {
  if (typeof value === 'string') return JSON.stringify(value);
  const text = inspect(withoutClass(value), { breakLength: Infinity, depth: 6, compact: true });
  return text.length > 160 ? `${text.slice(0, 159)}…` : text;
}

function withoutClass(value: unknown): unknown {
  if (!(value instanceof WindowedKey)) return value;
  const { key, start, end } = value as Windowed<unknown>;
  return { key, start, end };
}

function kindOf(value: object): string {
  const { constructor } = value as { readonly constructor?: { readonly name: string } };
  const name = constructor?.name ?? 'object';
  return /^[AEIOU]/.test(name) ? `an ${name}` : `a ${name}`;
}

function hint(kind: string, wanted: string): string {
  return kind === 'a KafkaRecord' && wanted === 'an Outgoing' ? ' (is a to() missing?)' : '';
}
