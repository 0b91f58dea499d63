import type { Windowed } from '../../src/model/window';

/** A class, so that all keys of windows have one shape. */
export class WindowedKey<K> implements Windowed<K> {
  readonly key: K;
  readonly start: number;
  readonly end: number;

  constructor(key: K, start: number, end: number) {
    this.key = key;
    this.start = start;
    this.end = end;
  }
}
