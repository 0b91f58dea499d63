import { right } from 'fp-ts/Either';
import { string } from '../../src/codec/primitives';
import type { Codecs } from '../../src/model/codec';
import type { Json } from './format';

/** Keys are UTF-8, values any JSON. */
export const jobCodecs: Codecs<string, Json> = {
  key: string,
  value: {
    encode: (value) => JSON.stringify(value),
    decode: (bytes) => right(JSON.parse(Buffer.from(bytes).toString('utf8')) as Json),
  },
};
