import type { StoreShape } from '../model/store-definition';
import type { BufferRuntime } from '../state/buffer-entries';
import { Claim } from '../state/claim';
import { ClosingIndex } from '../state/closing-index';
import type { ForeignKeyRuntime, Subscribers } from '../state/foreign-key-entries';
import type {
  AgingRuntime,
  KeyValueRuntime,
  RowRuntime,
  SuppressRuntime,
  TimerRuntime,
  WindowCursor,
  WindowRuntime,
} from '../state/handle';
import type { JoinRuntime } from '../state/join-entries';
import type { Scope } from '../state/scope';
import type { Placed, VersionedRuntime } from '../state/versioned-entries';

const nothing = (): undefined => undefined;

const emptyCursor: WindowCursor<unknown, unknown> = {
  next: () => false,
  key: undefined,
  identity: '',
  entry: { value: undefined, timestamp: -1 },
  close: nothing,
};

const nobody: Subscribers = { next: () => false, key: new Uint8Array(), hash: new Uint8Array(), close: nothing };
const noVersions = { latest: nothing, asOf: nothing, place: (): Placed => 'latest' };
const nothingWaits = { keep: nothing, letGo: nothing, earliest: Infinity, next: nothing };
const nothingHeld = {
  hold: nothing,
  released: nothing,
  releasedAtEnd: nothing,
  isReleased: (): boolean => false,
  leastTimestamp: Infinity,
};
const noReferences = { subscribe: nothing, unsubscribe: nothing, openSubscribers: (): Subscribers => nobody };

/** A store for planning: it can be claimed, holds nothing, and keeps nothing. */
export function silentStore(
  shape: StoreShape,
  scope: Scope,
): WindowRuntime<unknown, unknown> &
  KeyValueRuntime<unknown, unknown> &
  RowRuntime<unknown, unknown> &
  TimerRuntime<unknown> &
  SuppressRuntime<unknown, unknown> &
  AgingRuntime &
  JoinRuntime<unknown, unknown> &
  ForeignKeyRuntime<unknown, unknown> &
  VersionedRuntime<unknown, unknown> &
  BufferRuntime<unknown, unknown> {
  const claim = new Claim(shape.name);
  const nothingDue = new ClosingIndex();
  return {
    shape,
    scope,
    claim: (token, operator) => claim.take(token, operator),
    ...noReferences,
    ...noVersions,
    valueCodec: shape.value,
    ...nothingWaits,
    ...nothingHeld,
    codecs: { key: shape.key, foreignKey: shape.foreignKey ?? shape.key },
    find: nothing,
    read: nothing,
    write: nothing,
    remove: nothing,
    nextStart: () => Infinity,
    open: () => emptyCursor,
    openUnordered: () => emptyCursor,
    invisibleUpTo: -Infinity,
    rows: () => [],
    rowsOf: () => [],
    replace: nothing,
    wrote: nothing,
    timeOf: () => -1,
    identityOf: () => '',
    keyOf: nothing,
    compare: () => 0,
    due: nothingDue,
    closingIndex: () => nothingDue,
    isRemovable: () => false,
    kept: () => nothingDue,
    waiting: () => nothingDue,
    added: nothing,
    age: nothing,
    ready: () => true,
    keyByIds: nothing,
    isDue: false,
    removeDue: (budget) => budget,
    set: nothing,
    cancel: nothing,
    fired: nothing,
    release: nothing,
    keyBytes: () => new Uint8Array(),
  };
}
