import { inspect } from 'node:util';
import { MillraceError } from '../../src/errors/millrace-error';
import type { Suppression } from './options';

/** @throws CONFIG naming the option */
export function checkSuppression(operator: string, { until, maxRecords, maxBytes, whenFull }: Suppression): void {
  const isFinal = until === 'windowCloses';
  if (!isFinal) checkLimit(operator, until);
  for (const [option, bound] of Object.entries({ maxRecords, maxBytes })) {
    if (bound === undefined || isWhole(bound)) continue;
    throw optionError(operator, option, `is ${String(bound)}; it must be a whole number >= 0, or left out`);
  }
  if (whenFull !== undefined && !['emit', 'fail'].includes(whenFull)) {
    throw optionError(operator, 'whenFull', `is ${inspect(whenFull)}; it must be 'emit' or 'fail'`);
  }
  if (isFinal && (whenFull as unknown) === 'emit') {
    throw optionError(operator, 'whenFull', `is 'emit', with until: 'windowCloses': what is emitted before its window closes is not final`);
  }
}

function checkLimit(operator: string, until: unknown): void {
  const limit = (until as { readonly limit?: unknown } | null | undefined)?.limit;
  if (limit === undefined) throw optionError(operator, 'until', `is ${inspect(until)}; it must be 'windowCloses' or { limit }`);
  if (!isWhole(limit)) throw optionError(operator, 'until.limit', `is ${inspect(limit)}; it must be a whole number of ms >= 0`);
}

export function optionError(operator: string, option: string, problem: string): MillraceError {
  return new MillraceError('CONFIG', `${operator}: the option ${option} ${problem}`, { where: { operator, option } });
}

function isWhole(value: unknown): boolean {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}
