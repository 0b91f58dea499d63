import { isDeepStrictEqual } from 'node:util';
import { WindowedKey } from '../../../operators/windowed/windowed-key';
import { Outgoing } from '../../model/outgoing';
import { KafkaRecord } from '../../model/record';

/** Of these, properties tell all; what else may stand in a value, `isDeepStrictEqual` knows. */
const PLAIN: readonly unknown[] = [Object.prototype, Array.prototype, KafkaRecord.prototype, Outgoing.prototype];

/**
 * Deeply equal, classes included; only a windowed key is the same whether an operator made it, a codec read it, or a test wrote it down as
 * `{ key, start, end }`.
 */
export function same(a: unknown, b: unknown): boolean {
  if (isDeepStrictEqual(a, b)) return true;
  if (!isComposite(a) || !isComposite(b) || classOf(a) !== classOf(b) || !PLAIN.includes(classOf(a))) return false;
  const names = enumerable(a);
  return names.length === enumerable(b).length && names.every((name) => Object.hasOwn(b, name) && same(a[name], b[name]));
}

export function isComposite(value: unknown): value is Readonly<Record<string | symbol, unknown>> {
  return typeof value === 'object' && value !== null;
}

/** What tells values with the same properties apart. */
export function classOf(value: object): unknown {
  return value instanceof WindowedKey ? Object.prototype : Object.getPrototypeOf(value);
}

function enumerable(value: object): (string | symbol)[] {
  return Reflect.ownKeys(value).filter((name) => Object.prototype.propertyIsEnumerable.call(value, name));
}
