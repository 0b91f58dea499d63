import * as fc from 'fast-check';
import { decodeCells, encodeCells } from '../../src/state/cells-format';
import { anyText } from './any-text';

describe('cells', () => {
  it('keep any number and any latin1 or other text', () => {
    const value = fc.oneof(fc.double(), fc.maxSafeInteger(), anyText());
    const store = fc.record({
      store: fc.string({ minLength: 1 }),
      carried: fc.nat(0xffffffff),
      cells: fc.dictionary(fc.string(), value, { maxKeys: 5 }).map((object) => new Map(Object.entries(object))),
    });
    fc.assert(
      fc.property(fc.array(store, { maxLength: 5 }), (stores) => {
        expect(decodeCells(encodeCells(stores))).toEqual(stores);
      }),
    );
  });
});
