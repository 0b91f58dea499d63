import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { type Distribution, ensureDistribution, type FetchDistribution, fetchedDistribution } from '../../../scripts/kafka/distribution';

const POM = '<project><properties><kafka.version>4.3.1</kafka.version></properties></project>';
let root: string;
let home: string;
let pomFile: string;
let fetches: string[];

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'millrace-distribution-'));
  home = join(root, 'jars');
  pomFile = join(root, 'pom.xml');
  writeFileSync(pomFile, POM);
  fetches = [];
});

afterEach(() => {
  rmSync(root, { recursive: true });
});

const fetchWhole: FetchDistribution = async (folder, version) => {
  fetches.push(version);
  mkdirSync(join(folder, 'jars'));
  for (const jar of ['b.jar', 'a.jar']) writeFileSync(join(folder, 'jars', jar), jar);
  writeFileSync(join(folder, 'bootstrap.checkpoint'), 'features');
};

function ensure(fetch: FetchDistribution = fetchWhole, log: (line: string) => void = () => {}): Promise<Distribution> {
  return ensureDistribution({ home, pomFile, fetch, log });
}

describe("Kafka's jars", () => {
  it('are fetched once', async () => {
    const first = await ensure();
    await expect(ensure()).resolves.toEqual(first);
    expect(fetches).toEqual(['4.3.1']);
    expect(first.classPath).toBe([join(first.folder, 'jars/a.jar'), join(first.folder, 'jars/b.jar')].join(':'));
  });

  it('are fetched once when two starts ask at the same time', async () => {
    const lines: string[] = [];
    let finish = (): void => {};
    const mayFinish = new Promise<void>((resolve) => (finish = resolve));
    const fetching = new Promise<void>((started) => {
      void ensure(async (folder, version) => {
        started();
        await mayFinish;
        await fetchWhole(folder, version);
      });
    });
    await fetching;
    const second = ensure(fetchWhole, (line) => {
      lines.push(line);
      finish();
    });
    await expect(second).resolves.toMatchObject({ version: '4.3.1' });
    expect(fetches).toEqual(['4.3.1']);
    expect(lines).toEqual(['waiting for another start that is fetching Kafka']);
  });

  it('that were not fetched to the end are fetched again, and leave nothing behind', async () => {
    const cutShort: FetchDistribution = async (folder) => {
      mkdirSync(join(folder, 'jars'));
      writeFileSync(join(folder, 'jars', 'a.jar'), '');
      throw new Error('the network is gone');
    };
    await expect(ensure(cutShort)).rejects.toThrow('the network is gone');
    await expect(fetchedDistribution(home, pomFile)).resolves.toBeUndefined();
    const { folder } = await ensure();
    expect(readdirSync(home).sort()).toEqual([basename(folder), 'lock']);
  });

  it('of which a file was cut short by a crash of the machine are fetched again', async () => {
    const { folder } = await ensure();
    truncateSync(join(folder, 'jars', 'a.jar'));
    await expect(fetchedDistribution(home, pomFile)).resolves.toBeUndefined();
    await ensure();
    expect(fetches).toHaveLength(2);
  });

  it('of another pom.xml stand beside those of this one', async () => {
    const first = await ensure();
    writeFileSync(pomFile, POM.replace('4.3.1', '4.4.0'));
    await expect(ensure()).resolves.toMatchObject({ version: '4.4.0' });
    expect(existsSync(first.folder)).toBe(true);
  });
});
