import type { StoreShape } from '../model/store-definition';
import type { VersionedShape } from '../model/versioned';
import { AgingEntries } from './aging-entries';
import { BufferEntries, type BufferHandle, bufferHandle } from './buffer-entries';
import { type Counted, countedCodec } from './counted';
import type { StoreContext } from './layered-store';
import type { AnyStore } from './flusher';
import type {
  CountedWindowHandle,
  KeyValueHandle,
  RowWindowHandle,
  SessionHandle,
  SuppressHandle,
  TimerHandle,
  WindowHandle,
} from './handle';
import { ForeignKeyEntries, type ForeignKeyHandle, foreignKeyHandle } from './foreign-key-entries';
import { JoinEntries, type JoinHandle, joinHandle } from './join-entries';
import { OverlappingEntries } from './overlapping-entries';
import { RowEntries } from './row-entries';
import { countedWindowHandle, keyValueHandle, rowWindowHandle, sessionHandle, windowHandle } from './store-handles';
import { SuppressEntries, suppressHandle } from './suppress-entries';
import { TimerEntries, timerHandle } from './timer-entries';
import { VersionedEntries, type VersionedHandle, versionedHandle } from './versioned-entries';
import { WindowEntries } from './window-entries';
import { overlap } from './windows';

/** What `task.store` may give. */
export type AnyHandle =
  | KeyValueHandle<unknown, unknown>
  | WindowHandle<unknown, unknown>
  | RowWindowHandle<unknown, unknown>
  | CountedWindowHandle<unknown, unknown>
  | SessionHandle<unknown, unknown>
  | SuppressHandle<unknown, unknown>
  | TimerHandle<unknown>
  | JoinHandle<unknown, unknown, unknown>
  | ForeignKeyHandle<unknown, unknown>
  | VersionedHandle<unknown, unknown>
  | BufferHandle<unknown, unknown>;

/** The entries of one store with the handle that operators and topologies get. */
export interface OpenedStore {
  readonly entries: AnyStore;
  readonly handle: AnyHandle;
}

/** A store of the kind its definition says. `id`: its number among those of its directory. */
export function openStore(shape: StoreShape, id: number, context: StoreContext): OpenedStore {
  switch (shape.kind) {
    case 'key-value': {
      const entries = new AgingEntries<unknown, unknown>(shape, id, context);
      return { entries, handle: keyValueHandle(entries) };
    }
    case 'window':
      return openWindows(shape, id, context);
    case 'counted': {
      const entries = new RowEntries<unknown, Counted<unknown>>({ ...shape, value: countedCodec(shape.value) as never }, id, context);
      return { entries: entries as unknown as AnyStore, handle: countedWindowHandle(entries) };
    }
    case 'sliding': {
      const entries = new RowEntries<unknown, unknown>(shape, id, context);
      return { entries: entries as unknown as AnyStore, handle: rowWindowHandle(entries) };
    }
    case 'session': {
      const entries = new RowEntries<unknown, unknown>(shape, id, context);
      return { entries: entries as unknown as AnyStore, handle: sessionHandle(entries) };
    }
    case 'timer': {
      const entries = new TimerEntries<unknown>(shape, id, context);
      return { entries: entries as unknown as AnyStore, handle: timerHandle(entries) };
    }
    case 'foreign-key': {
      const pairs = new ForeignKeyEntries<unknown, unknown>(shape, id, context);
      return { entries: pairs.entries as unknown as AnyStore, handle: foreignKeyHandle(pairs) };
    }
    case 'join': {
      const entries = new JoinEntries<unknown, unknown>(shape, id, context);
      return { entries: entries as unknown as AnyStore, handle: joinHandle(entries) };
    }
    case 'versioned': {
      const entries = new VersionedEntries<unknown, unknown>(shape as VersionedShape, id, context);
      return { entries: entries as unknown as AnyStore, handle: versionedHandle(entries) };
    }
    case 'buffer': {
      const entries = new BufferEntries<unknown, unknown>(shape, id, context);
      return { entries: entries as unknown as AnyStore, handle: bufferHandle(entries) };
    }
    case 'suppress': {
      const entries = new SuppressEntries<unknown, unknown>(shape, id, context);
      return { entries: entries as unknown as AnyStore, handle: suppressHandle(entries) };
    }
  }
}

function openWindows(shape: StoreShape, id: number, context: StoreContext): OpenedStore {
  if (!overlap(shape.windows!)) {
    const entries = new WindowEntries<unknown, unknown>(shape, id, context);
    return { entries, handle: windowHandle(entries) };
  }
  const entries = new OverlappingEntries<unknown, unknown>(shape, id, context);
  return { entries: entries as unknown as AnyStore, handle: windowHandle(entries) };
}
