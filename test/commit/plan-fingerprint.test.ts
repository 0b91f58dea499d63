import { int64, string } from '../../src/codec/primitives';
import { planFingerprint } from '../../src/commit/plan-fingerprint';
import type { StoreShape } from '../../src/model/store-definition';
import { keyValueStore, windowStore } from '../../src/state/definition';

const plan = (...stores: StoreShape[]): string =>
  planFingerprint({ stores, changelogOf: (store) => stores.find(({ name }) => name === store)?.sourceTopic ?? `app-${store}-changelog` });

const counts = keyValueStore('counts', { key: string, value: int64 }).shape;
const names = keyValueStore('names', { key: string, value: string }).shape;

describe('the fingerprint of a plan', () => {
  it('is the same in whatever order the stores were declared', () => {
    expect(plan(counts, names)).toBe(plan(names, counts));
  });

  it('does not depend on codecs', () => {
    expect(plan(counts)).toBe(plan({ ...counts, value: string as never }));
  });

  it.each([
    ['one more store', plan(counts, names)],
    ['another name', plan({ ...counts, name: 'totals' })],
    ['another kind', plan(windowStore('counts', { key: string, value: int64, windows: { size: 10, grace: 0 } }).shape)],
    ['another changelog', plan({ ...counts, sourceTopic: 'counts' })],
    ['no store', plan()],
  ])('is another with %s', (_, other) => {
    expect(other).not.toBe(plan(counts));
  });
});
