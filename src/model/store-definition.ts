import type { Codec, Codecs } from './codec';
import type { Duration } from './duration';
import type { SessionWindows, Window, Windowed, Windows } from './window';

declare const handle: unique symbol;
declare const kind: unique symbol;

/** Declares a store: its name (of its changelog too), codecs and windows. `S` is what `task.store` (or `memoryStore`) gives for it. */
export interface StoreDefinition<out S> {
  readonly name: string;
  readonly [handle]?: S;
}

/** What the runtime needs of a key-value, window or session definition. */
export interface StoreShape {
  readonly kind:
    'key-value' | 'window' | 'sliding' | 'counted' | 'session' | 'timer' | 'join' | 'foreign-key' | 'suppress' | 'versioned' | 'buffer';
  readonly name: string;
  readonly key: Codec<unknown>;
  readonly value: Codec<unknown>;
  /** Kept in LevelDB; false: in memory, restored from the changelog whole at every start. Default true. */
  readonly persistent: boolean;
  readonly windows?: Windows | SessionWindows;
  /** ms; window stores: how long a window stays visible after newer ones came. */
  readonly retention?: Duration;
  /** Sliding windows and sessions: see `ResultWindows`. */
  readonly releasedAtEnd?: boolean;
  /** Key-value stores: ms of event time that an entry stays readable. */
  readonly ttl?: Duration;
  /** Foreign-key stores: of the rows referred to; `key` is that of the rows that refer. */
  readonly foreignKey?: Codec<unknown>;
  /** Timer stores: what their times are compared with. */
  readonly clock?: 'event' | 'wall';
  /** Tables: the topic that feeds the store is its changelog. It is restored to the committed offset, and nothing is written to it. */
  readonly sourceTopic?: string;
  /** Tables of a topic that have a changelog of their own all the same: the topic. */
  readonly copyOf?: string;
}

/** What `keyValueStore` gives. `output`: the codecs of a topic of its rows. */
export interface KeyValueDefinition<K, A> extends StoreDefinition<KeyValueStore<K, A>> {
  readonly output: Codecs<K, A>;
  /** @internal */
  readonly shape: StoreShape;
}

/** What `windowStore` gives. */
export interface WindowDefinition<K, A> extends StoreDefinition<WindowStore<K, A>> {
  /** The windowed key as Kafka Streams writes it in topics: key bytes, then the start as int64. */
  readonly output: Codecs<Windowed<K>, A>;
  readonly windows: Windows;
  /** @internal */
  readonly shape: StoreShape;
}

/** What `sessionStore` gives. */
export interface SessionDefinition<K, A> extends StoreDefinition<SessionStore<K, A>> {
  /** The key of a session as Kafka Streams writes it in topics: key bytes, then end and start as int64. */
  readonly output: Codecs<Windowed<K>, A>;
  readonly windows: SessionWindows;
  /** @internal */
  readonly shape: StoreShape;
}

/** What `timerStore` gives. */
export interface TimerDefinition<K> extends StoreDefinition<TimerStore<K>> {
  /** @internal */
  readonly shape: StoreShape;
}

/** What `suppressStore` gives. */
export interface SuppressDefinition<K, V> extends StoreDefinition<SuppressStore<K, V>> {
  /** @internal */
  readonly shape: StoreShape;
}

// Property-style members: keys and values are invariant, so a store of a narrower value cannot be passed for a wider one.
/** One value a key. Writes carry the timestamp of the record being pushed. */
export interface KeyValueStore<K, A> {
  readonly [kind]: 'key-value';
  /** Undefined when there is none. */
  readonly get: (key: K) => A | undefined;
  /** null removes it. */
  readonly put: (key: K, value: A) => void;
  readonly delete: (key: K) => void;
  /** Ascending by key bytes, both ends in; an absent bound is open. Sees one moment of the store. */
  readonly range: (from?: K, to?: K) => AsyncIterable<[K, A]>;
}

/** One value a key and window. Writes carry the timestamp of the record being pushed. */
export interface WindowStore<K, A> {
  readonly [kind]: 'window';
  /** Undefined when there is none, or retention no longer shows it. */
  readonly get: (key: K, windowStart: number) => A | undefined;
  /** null removes it. */
  readonly put: (key: K, window: { readonly start: number; readonly end: number }, value: A) => void;
}

/** One value a key and session. Writes carry the timestamp of the record being pushed. */
export interface SessionStore<K, A> {
  readonly [kind]: 'session';
  /** Sessions of the key that end at or after `from` and start at or before `to`, by end, then start. */
  readonly find: (key: K, from: number, to: number) => readonly (readonly [Window, A])[];
  /** In the place of the session with these bounds, if there is one; null removes it. */
  readonly put: (key: K, window: Window, value: A) => void;
}

/** One timer a key, for `processWithStore`. */
export interface TimerStore<K> {
  readonly [kind]: 'timer';
  /** Fires once at `time`, ms since the epoch, in the place of the timer that the key may have. @throws INVALID_TIMESTAMP */
  readonly set: (key: K, time: number) => void;
  /** Does nothing if the key has no timer. */
  readonly cancel: (key: K) => void;
}

/** What `suppress` holds results back in. */
export interface SuppressStore<K, V> {
  readonly [kind]: 'suppress';
  /** Held back from the time of the record being pushed on. For tests. */
  readonly put: (key: K, value: V) => void;
}
