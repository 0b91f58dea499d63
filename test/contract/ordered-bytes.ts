import type { BytesOperation, BytesRange, OrderedBytes } from '../../src/state/port';

export const bytesOf = (text: string): Uint8Array => Buffer.from(text, 'latin1');
export const put = (key: string, value: string): BytesOperation => ({ type: 'put', key: bytesOf(key), value: bytesOf(value) });
export const remove = (key: string): BytesOperation => ({ type: 'delete', key: bytesOf(key) });
const range = (from: string, to: string): BytesRange => ({ from: bytesOf(from), to: bytesOf(to) });
const text = (bytes: Uint8Array | undefined): string | undefined =>
  bytes === undefined ? undefined : Buffer.from(bytes).toString('latin1');

/** What every implementation of the state port does. `open` gives an empty one; the suite closes it. */
export function orderedBytesContract(name: string, open: () => Promise<OrderedBytes>): void {
  describe(`ordered bytes: ${name}`, () => {
    let bytes: OrderedBytes;
    beforeEach(async () => {
      bytes = await open();
    });
    afterEach(() => bytes.close());

    async function entries(within: BytesRange, limit = 100): Promise<string[]> {
      return (await bytes.read(within, limit)).map(([key, value]) => `${text(key)}=${text(value)}`);
    }

    it('gives what was put last, and undefined for what was deleted or never there', async () => {
      await bytes.write([put('a', '1'), put('b', '2')]);
      await bytes.write([put('a', '3'), remove('b')]);
      expect(text(bytes.get(bytesOf('a')))).toBe('3');
      expect(bytes.get(bytesOf('b'))).toBeUndefined();
      expect(bytes.get(bytesOf('c'))).toBeUndefined();
    });

    it('tells an empty value from none', async () => {
      await bytes.write([put('a', '')]);
      expect(bytes.get(bytesOf('a'))).toHaveLength(0);
    });

    it('takes operations of one batch in order', async () => {
      await bytes.write([put('a', '1'), remove('a'), put('b', '1'), put('b', '2')]);
      expect(await entries(range('a', 'z'))).toEqual(['b=2']);
    });

    it('takes batches in the order they were handed over, without waiting in between', async () => {
      const writes: Promise<void>[] = [];
      for (let i = 0; i < 200; i++) writes.push(bytes.write([put('a', String(i)), put(`b${i}`, '')]));
      await Promise.all(writes);
      expect(text(bytes.get(bytesOf('a')))).toBe('199');
    });

    it('takes batches of many thousand operations whole', async () => {
      const operations = Array.from({ length: 20_000 }, (_, i) => put(`k${String(i).padStart(6, '0')}`, String(i)));
      await bytes.write(operations);
      expect(await bytes.read(range('k', 'l'), 30_000)).toHaveLength(20_000);
      expect(text(bytes.get(bytesOf('k019999')))).toBe('19999');
    });

    it('takes operations of one key in order, however many others stand between them', async () => {
      const operations = Array.from({ length: 50_000 }, (_, i) =>
        i % 7 === 3 ? remove(`k${i % 20_011}`) : put(`k${i % 20_011}`, String(i)),
      );
      await bytes.write(operations);
      const expected = new Map<string, string>();
      operations.forEach(({ key }, i) => (i % 7 === 3 ? expected.delete(text(key)!) : expected.set(text(key)!, String(i))));
      const found = await bytes.read(range('k', 'l'), 30_000);
      expect(new Map(found.map(([key, value]) => [text(key)!, text(value)!]))).toEqual(expected);
    });

    it('takes a batch without operations', async () => {
      await expect(bytes.write([])).resolves.toBeUndefined();
    });

    it('reads ranges by unsigned bytes: the lower bound in, the upper out', async () => {
      const keys = ['a', 'a\0', 'a\x7f', 'a\x80', 'a\xff', 'a\xff\xff', 'b'];
      await bytes.write([...keys].reverse().map((key) => put(key, 'v')));
      expect(await entries(range('a', 'b'))).toEqual(keys.slice(0, 6).map((key) => `${key}=v`));
      expect(await entries(range('a\x7f', 'a\xff'))).toEqual(['a\x7f=v', 'a\x80=v']);
      expect(await entries(range('b', 'a'))).toEqual([]);
    });

    it('reads no more than the limit', async () => {
      await bytes.write(['a', 'b', 'c', 'd'].map((key) => put(key, '')));
      expect(await entries(range('a', 'z'), 2)).toEqual(['a=', 'b=']);
    });

    it('shows a snapshot as it was, whatever is written or deleted later', async () => {
      await bytes.write([put('a', '1'), put('c', '1'), put('d', '1')]);
      const snapshot = bytes.snapshot();
      await bytes.write([put('a', '2'), put('b', '2'), remove('c')]);
      await bytes.write([put('c', '3'), remove('d')]);
      const seen = async (): Promise<string[]> =>
        (await bytes.read(range('a', 'z'), 10, snapshot)).map(([key, value]) => `${text(key)}=${text(value)}`);
      expect(await seen()).toEqual(['a=1', 'c=1', 'd=1']);
      expect(await entries(range('a', 'z'))).toEqual(['a=2', 'b=2', 'c=3']);
      await bytes.clear(range('a', 'z'));
      expect(await seen()).toEqual(['a=1', 'c=1', 'd=1']);
      await snapshot.close();
    });

    it('keeps snapshots apart', async () => {
      await bytes.write([put('a', '1')]);
      const first = bytes.snapshot();
      await bytes.write([put('a', '2')]);
      const second = bytes.snapshot();
      await bytes.write([remove('a')]);
      const values = await Promise.all([first, second].map((snapshot) => bytes.read(range('a', 'b'), 10, snapshot)));
      expect(values.map((found) => found.map(([, value]) => text(value)))).toEqual([['1'], ['2']]);
      await first.close();
      expect((await bytes.read(range('a', 'b'), 10, second)).map(([, value]) => text(value))).toEqual(['2']);
      await second.close();
    });

    it('applies the limit of a snapshot read to what the snapshot shows', async () => {
      await bytes.write(['a', 'b', 'c', 'd'].map((key) => put(key, '')));
      const snapshot = bytes.snapshot();
      await bytes.write([remove('a'), remove('c'), put('aa', '')]);
      expect((await bytes.read(range('a', 'z'), 3, snapshot)).map(([key]) => text(key))).toEqual(['a', 'b', 'c']);
      await snapshot.close();
    });

    it('clears a range and nothing else', async () => {
      await bytes.write(['a', 'b', 'c', 'd'].map((key) => put(key, '')));
      await bytes.clear(range('b', 'd'));
      expect(await entries(range('a', 'z'))).toEqual(['a=', 'd=']);
    });

    it('hands out bytes that are nobody else’s', async () => {
      const value = Buffer.from('value');
      await bytes.write([{ type: 'put', key: bytesOf('a'), value }]);
      value.fill(0);
      bytes.get(bytesOf('a'))!.fill(0);
      expect(text(bytes.get(bytesOf('a')))).toBe('value');
    });

    it('takes views into larger buffers', async () => {
      const buffer = Buffer.from('..key..value..');
      await bytes.write([{ type: 'put', key: new Uint8Array(buffer.buffer, buffer.byteOffset + 2, 3), value: buffer.subarray(7, 12) }]);
      expect(text(bytes.get(buffer.subarray(2, 5)))).toBe('value');
    });

    it('writes what was handed over before it closes', async () => {
      const writes = [bytes.write([put('a', '1')]), bytes.write([put('b', '1')])];
      await bytes.close();
      await expect(Promise.all(writes)).resolves.toHaveLength(2);
    });
  });
}
