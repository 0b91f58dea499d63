/** What LevelDB does when the thread that has a folder open dies: its lock must be free when the thread is gone, within the same process. */
import { mkdtemp, rm } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { Worker } from 'node:worker_threads';
import { openLevelBytes } from '../../src/level/level-bytes';
import { systemClock as clock } from '../../src/time/system-clock';

/** In plain JavaScript over the package: how it dies matters, not who asks. */
const PROGRAM = `
  const { parentPort, workerData: { level, folder, how } } = require('node:worker_threads');
  const { ClassicLevel } = require(level);
  const database = new ClassicLevel(folder, { keyEncoding: 'view', valueEncoding: 'view' });
  const batch = (value) => Array.from({ length: 2000 }, (_, at) => ({ type: 'put', key: Buffer.from('key' + at), value: Buffer.alloc(100, value) }));
  const write = async () => { for (let value = 0; ; value++) await database.batch(batch(value % 256)); };
  const kept = [];
  const ways = {
    exit: () => process.exit(3),
    'exit in the middle of writes': () => { write(); setTimeout(() => process.exit(3), 50); },
    'exit with an iterator and a snapshot open': async () => {
      await database.batch(batch(1));
      kept.push(database.snapshot());
      const iterator = database.iterator();
      kept.push(iterator);
      await iterator.next();
      process.exit(3);
    },
    throw: () => setImmediate(() => { throw new Error('nobody catches this'); }),
    memory: () => { for (;;) kept.push(Array.from({ length: 1000 }, (_, at) => ({ at }))); },
    'terminate in the middle of writes': () => { write(); parentPort.postMessage('ready'); },
    'terminate in a loop': () => { parentPort.postMessage('ready'); for (;;); },
    'terminate while idle': () => { setInterval(() => undefined, 1000); parentPort.postMessage('ready'); },
  };
  const opening = database.open();
  if (how === 'exit while opening') process.exit(3);
  opening.then(() => ways[how]());
`;

const level = createRequire(__filename).resolve('classic-level');

describe('a folder of LevelDB that a thread has open', () => {
  it.each([
    'exit',
    'exit while opening',
    'exit in the middle of writes',
    'exit with an iterator and a snapshot open',
    'throw',
    'memory',
    'terminate in the middle of writes',
    'terminate in a loop',
    'terminate while idle',
  ])('is free for another thread of the process when the first has died: %s', async (how) => {
    const folder = await mkdtemp(path.join(tmpdir(), 'millrace-level-thread-'));
    const worker = new Worker(PROGRAM, { eval: true, workerData: { level, folder, how }, resourceLimits: { maxOldGenerationSizeMb: 64 } });
    worker.on('error', () => undefined);
    worker.once('message', () => void worker.terminate());
    await new Promise((resolve) => worker.once('exit', resolve));
    const bytes = await openLevelBytes(folder, { clock, waitMs: 0 });
    await bytes.write([{ type: 'put', key: Buffer.from('a'), value: Buffer.from('b') }]);
    expect(Buffer.from(bytes.get(Buffer.from('a'))!).toString()).toBe('b');
    await bytes.close();
    await rm(folder, { recursive: true, force: true });
  });

  it('is SLOT_IN_USE for another thread while it lives', async () => {
    const folder = await mkdtemp(path.join(tmpdir(), 'millrace-level-thread-'));
    const worker = new Worker(PROGRAM, {
      eval: true,
      workerData: { level, folder, how: 'terminate while idle' },
    });
    await new Promise((resolve) => worker.once('message', resolve));
    await expect(openLevelBytes(folder, { clock, waitMs: 0 })).rejects.toMatchObject({ code: 'SLOT_IN_USE' });
    await worker.terminate();
    await (await openLevelBytes(folder, { clock, waitMs: 0 })).close();
    await rm(folder, { recursive: true, force: true });
  });
});
