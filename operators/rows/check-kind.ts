import { MillraceError } from '../../src/errors/millrace-error';
import type { SessionWindows, Windows } from '../../src/model/window';
import { checkWindows, describeWindows } from '../../src/state/windows';

/**
 * @param isKind what the operator makes: windows of another kind would pass here and never be made
 * @throws what `checkWindows` says; CONFIG for windows of another kind
 */
export function checkKind(
  operator: string,
  windows: Windows | SessionWindows,
  isKind: (windows: Windows | SessionWindows) => boolean,
  needs: string,
): void {
  checkWindows(windows, operator, { operator });
  if (isKind(windows)) return;
  throw new MillraceError('CONFIG', `${operator}: the option windows is ${describeWindows(windows)}; ${operator} needs ${needs}`, {
    where: { operator, option: 'windows' },
  });
}
