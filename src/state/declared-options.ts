import { MillraceError } from '../errors/millrace-error';
import type { Codec } from '../model/codec';

/** A mistake in the declaration of a store. */
export function storeOptionError(store: string, option: string, problem: string): MillraceError {
  return new MillraceError('CONFIG', `store ${store}: the option ${option} ${problem}`, { where: { store, option } });
}

/** @throws CONFIG */
export function checkCodec(store: string, option: string, codec: unknown): void {
  const { encode, decode } = (codec ?? {}) as Partial<Codec<unknown>>;
  if (typeof encode === 'function' && typeof decode === 'function') return;
  throw storeOptionError(store, option, 'is no codec: it needs encode and decode, as in string, int64 or json(Type)');
}
