import { kafkaCode } from './error-codes';

const names = new Map<number, string>(Object.entries(kafkaCode).map(([name, code]) => [code, name]));

/** `NOT_COORDINATOR (16)`; a code without a name here is given as a number. */
export function describeCode(code: number): string {
  const name = names.get(code);
  return name === undefined ? `error code ${code}` : `${name} (${code})`;
}
