import { throwError } from 'rxjs';
import { MillraceError } from '../../src/errors/millrace-error';
import type { Table } from '../../src/model/table';
import type { Stamped } from '../../src/state/handle';
import type { Scope } from '../../src/state/scope';
import { tableRuntime, type TableHandle } from '../../src/state/table';

const nothing = (): undefined => undefined;

export type FindRow = (key: unknown) => Stamped<unknown> | undefined;

/** A table to look up in. It changes outside any push, so that nothing could follow from its changes exactly once. */
export function globalTableOver(name: string, scope: Scope, find: FindRow): Table<unknown, unknown> {
  const noChanges = throwError(
    () =>
      new MillraceError(
        'CONFIG',
        `global table "${name}": its changes lead to nothing, there is nothing to subscribe to; look its rows up with joinGlobalTable, or read the topic with task.table`,
        { where: { topic: name } },
      ),
  );
  const handle: TableHandle<unknown, unknown> = {
    get: (key) => find(key)?.value,
    changes: noChanges,
    updates: noChanges,
    [tableRuntime]: {
      name,
      scope,
      isKept: true,
      isGlobal: true,
      codecs: undefined,
      find,
      updates: noChanges,
      progress: undefined,
      takeBack: nothing,
    },
  };
  return handle;
}
