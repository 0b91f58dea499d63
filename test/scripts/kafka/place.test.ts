import { existsSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { placeOf } from '../../../scripts/kafka/place';

let home: string;

beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'millrace-place-'));
});

afterEach(() => {
  rmSync(home, { recursive: true });
});

describe('the folder of a cluster', () => {
  it('is kept by its port, apart for one broker and for three', async () => {
    expect(await placeOf({ home, port: 9092, brokers: 1 }, 9092)).toEqual({ directory: join(home, 'data-9092'), temporary: false });
    expect(await placeOf({ home, port: 9092, brokers: 3 }, 9092)).toEqual({
      directory: join(home, 'data-9092-3-brokers'),
      temporary: false,
    });
  });

  it('is the one that was named', async () => {
    expect(await placeOf({ home, port: 9092, dataDirectory: join(home, 'mine'), brokers: 3 }, 9092)).toEqual({
      directory: join(home, 'mine'),
      temporary: false,
    });
  });

  it('goes with a cluster that has neither; what others left behind that are gone goes first', async () => {
    const abandoned = join(home, 'temporary-2147483647-1'); // no process has that number
    const living = join(home, `temporary-${process.ppid}-1`);
    for (const folder of [abandoned, living]) mkdirSync(folder);
    expect(await placeOf({ home, brokers: 3 }, 20_001)).toEqual({
      directory: join(home, `temporary-${process.pid}-20001`),
      temporary: true,
    });
    expect(existsSync(abandoned)).toBe(false);
    expect(existsSync(living)).toBe(true);
  });
});
