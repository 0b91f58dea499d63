import * as t from 'io-ts';
import { compareIdentity, compareUtf8, identityBytes, identityOf } from '../../src/codec/identity';
import { json } from '../../src/codec/json';
import { nullable } from '../../src/codec/nullable';
import { bytes, int64, string } from '../../src/codec/primitives';

describe('identityOf', () => {
  it('of a text key is the key itself', () => {
    expect(identityOf(string)('日本')).toBe('日本');
    expect(identityOf(nullable(string))('日本')).toBe('日本');
  });

  it('of other keys is their bytes, one character each', () => {
    expect(identityOf(int64)(258)).toBe('\0\0\0\0\0\0\x01\x02');
    expect(identityOf(bytes)(new Uint8Array([0xff, 0]))).toBe('\xff\0');
  });

  it('of a key written as text is its UTF-8 bytes', () => {
    expect(identityOf(json(t.string))('é')).toBe('"\xc3\xa9"');
    expect(identityOf(json(t.string))('e')).toBe('"e"');
  });

  it('gives the bytes back', () => {
    expect(identityBytes(string)('é')).toEqual(Buffer.from('é'));
    expect(identityBytes(int64)(identityOf(int64)(-2))).toEqual(Buffer.from('fffffffffffffffe', 'hex'));
  });
});

describe('compareIdentity', () => {
  it('orders numbers as their bytes, unsigned: negative ones last', () => {
    const identities = [-1, 0, 1, 300].map(identityOf(int64));
    expect([...identities].sort(compareIdentity(int64))).toEqual([...identities.slice(1), identities[0]]);
  });

  it('orders texts as their UTF-8', () => {
    expect(compareIdentity(string)).toBe(compareUtf8);
  });
});

describe('compareUtf8', () => {
  it('puts characters above U+FFFF behind those below, where UTF-16 does not', () => {
    expect('🙂' < '\uffee').toBe(true);
    expect(compareUtf8('🙂', '\uffee')).toBeGreaterThan(0);
    expect(compareUtf8('a\uffee', 'a🙂')).toBeLessThan(0);
  });

  it('puts a prefix first', () => {
    expect(compareUtf8('a', 'ab')).toBeLessThan(0);
    expect(compareUtf8('ab', 'ab')).toBe(0);
  });
});
