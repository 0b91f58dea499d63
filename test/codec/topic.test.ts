import * as t from 'io-ts';
import { json } from '../../src/codec/json';
import { nullable } from '../../src/codec/nullable';
import { int64, string } from '../../src/codec/primitives';
import { internalTopic, topic } from '../../src/codec/topic';
import type { MillraceError } from '../../src/errors/millrace-error';
import { acceptsNull, type SliceCodec } from '../../src/model/codec';

const Click = json(t.type({ at: t.number }));

function errorOf(declare: () => unknown): MillraceError {
  try {
    declare();
  } catch (error) {
    return error as MillraceError;
  }
  throw new Error('was declared');
}

describe('topic', () => {
  it('holds name, codecs and options', () => {
    const timestamp = (click: { at: number }): number => click.at;
    const clicks = topic('clicks', { key: string, value: Click, from: 'latest', timestamp, onDecodeError: 'skip' });
    expect(clicks).toMatchObject({ name: 'clicks', key: string, value: Click, keyless: false });
    expect(clicks.options).toEqual({ from: 'latest', timestamp, onDecodeError: 'skip' });
  });

  it('takes key, value and options of another topic', () => {
    const clicks = topic('clicks', { key: int64, value: Click, from: 'latest' });
    const web = topic('web', clicks);
    expect(web).toMatchObject({ name: 'web', key: int64, value: Click, keyless: false });
    expect(web.options).toEqual({ from: 'latest' });
  });

  it('takes only the codecs of a topic that is spread, as the types say', () => {
    const clicks = topic('clicks', { key: string, value: Click, timestamp: (click) => click.at });
    const retractions = topic('retractions', { ...clicks, value: nullable(Click) });
    expect(retractions).toMatchObject({ name: 'retractions', key: string, options: {}, keyless: false });
  });

  it('takes the output codecs of a store', () => {
    const output = { key: string, value: int64 };
    expect(topic('counts', output)).toMatchObject({ key: string, value: int64, options: {} });
  });

  it('without a key codec is keyless: its null key is no mistake, and no codec is asked', () => {
    const raw = topic('raw', { value: Click });
    expect(raw.keyless).toBe(true);
    expect((raw.key as SliceCodec<null>)[acceptsNull]).toBe(true);
    expect(() => raw.key.encode(null)).toThrow('ENCODE');
  });

  it('stays keyless when declared from a keyless topic, or from its codecs', () => {
    const raw = topic('raw', { value: Click, from: 'latest' });
    const copy = topic('copy', raw);
    expect([copy.keyless, copy.options.from]).toEqual([true, 'latest']);
    expect(topic('copy', { ...raw }).keyless).toBe(true);
  });

  it.each(['', '.', '..', 'a b', 'a/b', 'ä', 'a'.repeat(250)])('refuses the name %p', (name) => {
    expect(errorOf(() => topic(name, { value: string }))).toMatchObject({ code: 'TOPIC_INVALID', where: { topic: name } });
  });

  it('allows what Kafka allows', () => {
    expect(topic('a'.repeat(249), { value: string }).name).toHaveLength(249);
    expect(topic('...', { value: string }).name).toBe('...');
    expect(topic('Az0._-', { value: string }).name).toBe('Az0._-');
  });

  it.each([
    ['value', { key: string, value: { encode: () => '' } }],
    ['key', { key: 5, value: string }],
    ['from', { key: string, value: string, from: 'newest' }],
    ['from', { key: string, value: string, from: new Date(NaN) }],
    ['watermark.outOfOrderness', { key: string, value: string, watermark: { outOfOrderness: -1 } }],
    ['watermark.idleAfter', { key: string, value: string, watermark: { outOfOrderness: 0, idleAfter: 0.5 } }],
  ])('names the option %s when it is wrong', (option, options) => {
    const error = errorOf(() => topic('t', options as never));
    expect(error).toMatchObject({ code: 'CONFIG', where: { topic: 't', option } });
    expect(error.message).toContain(option);
  });
});

describe('internalTopic', () => {
  it('takes the codecs of a topic, not its options', () => {
    const clicks = topic('clicks', { key: string, value: Click, from: 'latest' });
    expect(internalTopic('by-page', clicks)).toEqual({ name: 'by-page', key: string, value: Click, partitions: undefined });
  });

  it('holds the partitions asked for', () => {
    expect(internalTopic('by-page', { key: string, value: Click, partitions: 6 }).partitions).toBe(6);
  });

  it.each([0, -1, 1.5])('refuses %d partitions', (partitions) => {
    const error = errorOf(() => internalTopic('by-page', { key: string, value: Click, partitions }));
    expect(error).toMatchObject({ code: 'CONFIG', where: { option: 'partitions' } });
  });

  it('refuses a name Kafka does not allow', () => {
    expect(errorOf(() => internalTopic('by page', { key: string, value: Click })).code).toBe('TOPIC_INVALID');
  });
});
