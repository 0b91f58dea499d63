import { MillraceError } from '../../src/errors/millrace-error';
import type { StoreShape } from '../../src/model/store-definition';
import { isTimeWindows } from '../../src/state/windows';
import type { Emit } from '../fold/options';

const MOMENTS: readonly Emit[] = ['update', 'change', 'close'];

/** @throws CONFIG for what is no moment to emit at, and for 'close' over windows that never do */
export function checkEmit(operator: string, emit: Emit, { name, windows }: StoreShape): void {
  if (!MOMENTS.includes(emit)) throw refused(operator, `is ${emit}; it must be 'update', 'change' or 'close'`);
  if (emit !== 'close' || windows === undefined || !isTimeWindows(windows) || windows.size !== Infinity) return;
  throw refused(operator, `is 'close', but the windows of store ${name} have the size Infinity and never close; use 'update' or 'change'`);
}

function refused(operator: string, problem: string): MillraceError {
  return new MillraceError('CONFIG', `${operator}: the option emit ${problem}`, { where: { operator, option: 'emit' } });
}
