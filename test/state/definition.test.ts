import { right } from 'fp-ts/Either';
import { int64, string } from '../../src/codec/primitives';
import type { MillraceError } from '../../src/errors/millrace-error';
import { keyValueStore, sessionStore, windowStore } from '../../src/state/definition';

const codecs = { key: string, value: int64 };

function errorOf(declare: () => unknown): Partial<MillraceError> {
  try {
    declare();
  } catch (error) {
    const { code, message, where } = error as MillraceError;
    return { code, message, where };
  }
  return {};
}

describe('keyValueStore', () => {
  it('gives the codecs of its rows for an output topic', () => {
    expect(keyValueStore('totals', codecs).output).toEqual(codecs);
  });

  it('is persistent unless told otherwise', () => {
    expect(keyValueStore('totals', codecs).shape.persistent).toBe(true);
    expect(keyValueStore('totals', { ...codecs, persistent: false }).shape.persistent).toBe(false);
  });

  it('refuses a name that Kafka does not allow in a topic', () => {
    expect(errorOf(() => keyValueStore('page counts', codecs))).toMatchObject({ code: 'TOPIC_INVALID', where: { store: 'page counts' } });
  });

  it('refuses what is no codec, naming it', () => {
    expect(errorOf(() => keyValueStore('totals', { key: string, value: undefined as never }))).toMatchObject({
      code: 'CONFIG',
      where: { store: 'totals', option: 'value' },
    });
  });
});

describe('windowStore', () => {
  it('gives windowed keys as Kafka Streams writes them, with the end of the declared windows', () => {
    const { key } = windowStore('counts', { ...codecs, windows: { size: 60_000 } }).output;
    const bytes = key.encode({ key: 'a', start: 60_000, end: 120_000 }) as Uint8Array;
    expect(Buffer.from(bytes).toString('hex')).toBe('61000000000000ea60');
    expect(key.decode(bytes)).toEqual(right({ key: 'a', start: 60_000, end: 120_000 }));
  });

  it('keeps windows readable for size + grace by default', () => {
    expect(windowStore('counts', { ...codecs, windows: { size: 10 } }).shape.retention).toBe(10);
    expect(windowStore('counts', { ...codecs, windows: { size: 10, grace: 5 } }).shape.retention).toBe(15);
    expect(windowStore('counts', { ...codecs, windows: { size: 10, grace: 5 }, retention: 100 }).shape.retention).toBe(100);
  });

  it.each([14, -1, NaN, 20.5, Infinity])('refuses a retention of %d for windows that need 15', (retention) => {
    const error = errorOf(() => windowStore('counts', { ...codecs, windows: { size: 10, grace: 5 }, retention }));
    expect(error).toMatchObject({ code: 'CONFIG', where: { store: 'counts', option: 'retention' } });
    expect(error.message).toContain(`is ${retention};`);
  });

  it.each([
    [{ size: 0 }, 'WINDOW_SIZE', 'size', 0],
    [{ size: -5 }, 'WINDOW_SIZE', 'size', -5],
    [{ size: NaN }, 'WINDOW_SIZE', 'size', NaN],
    [{ size: 0.5 }, 'WINDOW_SIZE', 'size', 0.5],
    [{ size: 10, advance: 0 }, 'WINDOW_ADVANCE', 'advance', 0],
    [{ size: 10, advance: 11 }, 'WINDOW_ADVANCE', 'advance', 11],
    [{ size: 10, advance: 2.5 }, 'WINDOW_ADVANCE', 'advance', 2.5],
    [{ size: 10, grace: -1 }, 'WINDOW_GRACE', 'grace', -1],
    [{ size: 10, grace: NaN }, 'WINDOW_GRACE', 'grace', NaN],
  ])('refuses the windows %p with %s, naming option and value', (windows, code, option, value) => {
    const error = errorOf(() => windowStore('counts', { ...codecs, windows }));
    expect(error).toMatchObject({ code, where: { store: 'counts', option } });
    expect(error.message).toContain(`store counts: the option ${option} is ${value};`);
  });

  it('refuses windows of a kind that no operator makes', () => {
    expect(errorOf(() => windowStore('counts', { ...codecs, windows: { length: 5 } as never }))).toMatchObject({
      code: 'CONFIG',
      where: { store: 'counts', option: 'windows' },
    });
  });
});

describe('sessionStore', () => {
  const windows = { gap: 10, grace: 5 };

  it('shows exactly the sessions that are still open unless told otherwise', () => {
    expect(sessionStore('visits', { ...codecs, windows }).shape.retention).toBe(16);
  });

  it("may be as short as the JVM's", () => {
    expect(sessionStore('visits', { ...codecs, windows, retention: 15 }).shape.retention).toBe(15);
  });

  it.each([14, NaN, 20.5])('refuses a retention of %d for sessions that need 15', (retention) => {
    expect(errorOf(() => sessionStore('visits', { ...codecs, windows, retention }))).toMatchObject({
      code: 'CONFIG',
      where: { store: 'visits', option: 'retention' },
    });
  });
});
