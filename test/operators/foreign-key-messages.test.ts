/** What the two sides of a join by foreign key say to each other, as bytes. */
import { answerWith, hashOf, type Instruction, subscription } from '../../operators/foreign-key/messages';
import { string } from '../../src/codec/primitives';
import { errorWith } from './errors';

const hash = hashOf('row');
const key = Buffer.from('key');
const answers = answerWith(string);

describe('messages of a join by foreign key', () => {
  it.each<Instruction>(['unsubscribe', 'answer-always', 'answer-if-there', 'unsubscribe-and-answer'])('say %s', (instruction) => {
    const bytes = subscription.encode({ instruction, hash, key }) as Uint8Array;
    expect(subscription.decode(bytes)).toEqual({ _tag: 'Right', right: { instruction, hash, key: new Uint8Array(key) } });
  });

  it('tell a row, also an empty one, from what is missing', () => {
    for (const answer of [
      { hash, row: 'there', missing: undefined },
      { hash, row: '', missing: undefined },
      { hash, row: undefined, missing: new Uint8Array(key) },
      { hash, row: undefined, missing: new Uint8Array() },
    ]) {
      expect(answers.decode(answers.encode(answer) as Uint8Array)).toEqual({ _tag: 'Right', right: answer });
    }
  });

  it('are refused when they are none', () => {
    const refused = { _tag: 'Left', left: errorWith({ code: 'DECODE', message: 'of a join by foreign key' }) };
    expect(subscription.decode(new Uint8Array(16))).toEqual(refused);
    expect(subscription.decode(new Uint8Array(20).fill(9))).toEqual(refused);
    expect(answers.decode(new Uint8Array(16))).toEqual(refused);
  });

  it('have equal hashes for equal values, of 128 bits', () => {
    expect(hashOf('row')).toEqual(hashOf(Buffer.from('row')));
    expect(hash).toHaveLength(16);
    expect(hashOf('other')).not.toEqual(hash);
  });
});
