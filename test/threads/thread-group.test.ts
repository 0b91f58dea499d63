import { MillraceError } from '../../src/errors/millrace-error';
import type { WorkerFailure } from '../../src/model/worker-failure';
import { int64, string } from '../../src/codec/primitives';
import { topic } from '../../src/codec/topic';
import { silentLogger } from '../../src/model/logger';
import { noOrigin, withHeaders } from '../../src/model/origin';
import { Outgoing } from '../../src/model/outgoing';
import { encodeOutput } from '../../src/threads/encoded-output';
import { toPlainError } from '../../src/threads/plain-error';
import { fakeThreads, type FakeThreads } from './fake-workers';

const commit = { tasks: [{ partition: 0, records: 1, outputs: 1 }] };

/** Settles with the error that the group ends with; 'ended' without one. */
const endOf = ({ group }: FakeThreads): Promise<unknown> =>
  group.ended.then(
    () => 'ended',
    (error: unknown) => error,
  );

describe('starting threads', () => {
  it('each is given the same slot and nonce, and a number', async () => {
    const threads = fakeThreads({ threads: 3 });
    await threads.running();
    const [first, ...others] = threads.workers.map(({ data }) => data);
    expect(others.map(({ thread }) => thread.number)).toEqual([1, 2]);
    for (const other of others) {
      expect(other.slot).toEqual({ id: 'slot', directory: '/nowhere' });
      expect(other.thread.nonce).toBe(first?.thread.nonce);
    }
  });

  it('what crosses can be cloned', async () => {
    const threads = fakeThreads({ onWorkerFailure: () => 'replace', logger: { ...silentLogger }, metrics: { add: () => undefined } });
    await threads.running();
    expect(structuredClone(threads.workers[0]?.data)).toMatchObject({ forward: { logs: true, metrics: true } });
  });

  it('if one fails to start, that is the error, the others are ended and the slot is free', async () => {
    const threads = fakeThreads();
    const starting = threads.group.start();
    await threads.clock.settle();
    const error = new MillraceError('UNKNOWN_TOPIC', 'topics that do not exist: a', { where: { topic: 'a' } });
    threads.workers[1]?.say({ type: 'ended', error: toPlainError(error) });
    threads.workers[1]?.exit(0);
    await expect(starting).rejects.toMatchObject({ code: 'UNKNOWN_TOPIC', message: error.message, where: { topic: 'a' } });
    expect(threads.workers[0]?.isTerminated).toBe(true);
    expect(threads.slot.isReleased).toBe(true);
  });
});

describe('what threads tell', () => {
  it('commits are emitted, lines are logged with the number of the thread', async () => {
    const warnings: unknown[] = [];
    const logger = { ...silentLogger, warn: (...given: unknown[]) => warnings.push(given) };
    const threads = fakeThreads({ logger });
    await threads.running();
    threads.workers[1]?.say({ type: 'log', level: 'warn', fields: { task: 3 }, message: 'beware' });
    threads.workers[0]?.say({ type: 'committed', commit, outputs: [] });
    expect(warnings).toEqual([[{ task: 3, thread: 1 }, 'beware']]);
    expect(threads.commits).toEqual([commit]);
  });

  it('metrics are tagged with the thread', async () => {
    const added: unknown[] = [];
    const threads = fakeThreads({ metrics: { add: (...given) => added.push(given) } });
    await threads.running();
    threads.workers[1]?.say({ type: 'metrics', added: [['process-total', 5, { task: '3' }]] });
    expect(added).toEqual([['process-total', 5, { task: '3', thread: '1' }]]);
  });

  it('the state is the worst of theirs: degraded, rebalancing, running', async () => {
    const threads = fakeThreads();
    await threads.running();
    const [a, b] = threads.workers;
    a?.say({ type: 'state', state: 'running' });
    b?.say({ type: 'state', state: 'running' });
    a?.say({ type: 'state', state: 'degraded' });
    b?.say({ type: 'state', state: 'rebalancing' });
    a?.say({ type: 'state', state: 'running' });
    expect(threads.states).toEqual(['rebalancing', 'running', 'degraded', 'degraded', 'rebalancing']);
  });

  it('outputs are decoded with the codecs of who watches; other codecs are DECODE; threads hear who watches', async () => {
    const threads = fakeThreads();
    const counts = topic('counts', { key: string, value: int64 });
    const seen: unknown[] = [];
    const watching = threads.outputs.observe(counts).subscribe(({ key, value, timestamp, headers }) => {
      seen.push([key, value, timestamp, Buffer.from(headers.get('trace')!).toString()]);
    });
    await threads.running();
    const [worker] = threads.workers;
    expect(worker?.data.watched).toEqual(['counts']);
    const output = encodeOutput(Outgoing.of(counts, 'ada', 7, 5, withHeaders(noOrigin, new Map([['trace', Buffer.from('x')]]))));
    let error: unknown;
    threads.outputs.observe(topic('counts', { key: int64, value: int64 })).subscribe({ error: (cause) => (error = cause) });
    worker?.say({ type: 'committed', commit, outputs: [structuredClone(output)] });
    expect(seen).toEqual([['ada', 7, 5, 'x']]);
    expect(error).toMatchObject({ code: 'DECODE', where: { topic: 'counts' } });
    watching.unsubscribe();
    expect(worker?.told.at(-1)).toEqual({ type: 'watch', topics: [] });
  });
});

describe('onWorkerFailure', () => {
  it("'replace': another of the same number after 100 ms, then 200, 400 …; degraded until it runs", async () => {
    const threads = fakeThreads({ onWorkerFailure: 'replace' });
    await threads.running();
    threads.workers[1]?.exit(9);
    await threads.clock.settle();
    expect(threads.states.at(-1)).toBe('degraded');
    await threads.clock.advance(99);
    expect(threads.workers).toHaveLength(2);
    await threads.clock.advance(1);
    expect(threads.workers.map(({ data }) => data.thread.number)).toEqual([0, 1, 1]);
    threads.workers[2]?.exit(9);
    await threads.clock.advance(199);
    expect(threads.workers).toHaveLength(3);
    await threads.clock.advance(1);
    expect(threads.workers).toHaveLength(4);
    threads.workers[3]?.started();
    for (const worker of threads.workers) worker.say({ type: 'state', state: 'running' });
    expect(threads.states.at(-1)).toBe('running');
  });

  it('more than ten failures within five minutes stop the instance', async () => {
    const threads = fakeThreads({ onWorkerFailure: 'replace' });
    await threads.running();
    const end = endOf(threads);
    threads.workers[0]!.onTold = () => threads.workers[0]!.close();
    for (let failure = 1; failure <= 11; failure++) {
      expect(threads.workers).toHaveLength(1 + failure);
      threads.workers.at(-1)?.exit(9);
      await threads.clock.advance(10_000);
    }
    expect(await end).toMatchObject({ code: 'WORKER_FAILED' });
    expect(threads.workers).toHaveLength(12);
  });

  it('failures that are further apart are not counted together', async () => {
    const threads = fakeThreads({ onWorkerFailure: 'replace' });
    await threads.running();
    for (let failure = 1; failure <= 30; failure++) {
      expect(threads.workers).toHaveLength(1 + failure);
      threads.workers.at(-1)?.exit(9);
      await threads.clock.advance(31_000);
    }
  });

  it("'stop-instance', the default: the others close, then the run ends with the error", async () => {
    const threads = fakeThreads();
    await threads.running();
    const end = endOf(threads);
    const [dead, other] = threads.workers;
    dead?.emit('error', new TypeError('x is not a function'));
    dead?.exit(1);
    await threads.clock.settle();
    expect(other?.told).toEqual([{ type: 'close', within: 30_000, leaveGroup: false }]);
    other?.close();
    expect(await end).toMatchObject({ code: 'WORKER_FAILED', cause: { message: 'x is not a function' } });
    expect(threads.slot.isReleased).toBe(true);
  });

  it('an error that ends an instance is the error of the run, as it is with one thread', async () => {
    const threads = fakeThreads();
    await threads.running();
    const end = endOf(threads);
    const [failed, other] = threads.workers;
    other!.onTold = () => other!.close();
    const error = new MillraceError('PROCESSING', 'it threw', { where: { topic: 'a', partition: 1, offset: 5 }, cause: new Error('why') });
    failed?.say({ type: 'ended', error: toPlainError(error) });
    failed?.exit(0);
    expect(await end).toMatchObject({ code: 'PROCESSING', where: { topic: 'a', partition: 1, offset: 5 }, cause: { message: 'why' } });
  });

  it("'stop-application': a thread that lives tells the group; the run ends when all have ended", async () => {
    const threads = fakeThreads({ onWorkerFailure: 'stop-application' });
    await threads.running();
    const end = endOf(threads);
    const [dead, other] = threads.workers;
    dead?.exit(3);
    await threads.clock.settle();
    expect(other?.told).toMatchObject([{ type: 'stop-application', reason: expect.stringContaining('exited with code 3') as unknown }]);
    const stopped = toPlainError(new MillraceError('APPLICATION_STOPPED', 'one asked for it'));
    other?.say({ type: 'ended', error: stopped });
    other?.exit(0);
    expect(await end).toMatchObject({ code: 'WORKER_FAILED' });
  });

  it('a function is asked with what happened; what it gives is done', async () => {
    const failures: WorkerFailure[] = [];
    const threads = fakeThreads({
      onWorkerFailure: (failure) => {
        failures.push(failure);
        return failure.how === 'exit' ? 'replace' : 'stop-instance';
      },
    });
    await threads.running();
    const end = endOf(threads);
    threads.workers[0]!.onTold = () => threads.workers[0]!.close();
    threads.workers[1]?.exit(9);
    await threads.clock.advance(100);
    const memory = Object.assign(new Error('JS heap out of memory'), { code: 'ERR_WORKER_OUT_OF_MEMORY' });
    threads.workers[2]?.emit('error', memory);
    threads.workers[2]?.exit(1);
    await end;
    expect(failures).toMatchObject([
      { thread: 1, how: 'exit', failures: 1 },
      { thread: 1, how: 'out-of-memory', failures: 2, error: { code: 'WORKER_FAILED' } },
    ]);
  });

  it('a function that throws, or gives nothing of use, stops the instance', async () => {
    for (const policy of [
      () => {
        throw new Error('in the policy');
      },
      () => 'later' as 'replace',
    ]) {
      const threads = fakeThreads({ onWorkerFailure: policy });
      await threads.running();
      const end = endOf(threads);
      threads.workers[0]!.onTold = () => threads.workers[0]!.close();
      threads.workers[1]?.exit(9);
      expect(await end).toMatchObject({ code: 'WORKER_FAILED' });
    }
  });

  it('what the group has decided is final: APPLICATION_STOPPED and INSTANCE_DUPLICATE are not replaced', async () => {
    for (const code of ['APPLICATION_STOPPED', 'INSTANCE_DUPLICATE'] as const) {
      const threads = fakeThreads({ onWorkerFailure: 'replace' });
      await threads.running();
      const end = endOf(threads);
      threads.workers[0]!.onTold = () => threads.workers[0]!.close();
      threads.workers[1]?.say({ type: 'ended', error: toPlainError(new MillraceError(code, 'it is so')) });
      threads.workers[1]?.exit(0);
      expect(await end).toMatchObject({ code });
    }
  });
});

describe('the membership of a thread that has died', () => {
  it('is ended at once, so that its tasks do not wait for its session', async () => {
    const threads = fakeThreads({ onWorkerFailure: 'replace' });
    await threads.running();
    threads.workers[1]?.say({ type: 'member', memberId: 'member-1' });
    threads.workers[1]?.exit(9);
    await threads.clock.advance(1_000);
    expect(threads.left).toEqual(['member-1']);
  });

  it('stays if it is static: the next thread of that number has it', async () => {
    const threads = fakeThreads({ onWorkerFailure: 'replace', instanceId: 'a' });
    await threads.running();
    threads.workers[1]?.say({ type: 'member', memberId: 'member-1' });
    threads.workers[1]?.exit(9);
    await threads.clock.advance(1_000);
    expect(threads.left).toEqual([]);
  });
});

describe('closing threads', () => {
  it('a thread that does not hear it is ended when the time is up, one that is draining is given more', async () => {
    const threads = fakeThreads();
    await threads.running();
    const end = endOf(threads);
    const [deaf, slow] = threads.workers;
    slow!.onTold = () => slow!.say({ type: 'closing' });
    void threads.group.close(2_000);
    await threads.clock.advance(1_999);
    expect(deaf?.isTerminated).toBe(false);
    await threads.clock.advance(1);
    expect(deaf?.isTerminated).toBe(true);
    await threads.clock.advance(5_000);
    expect(slow?.isTerminated).toBe(false);
    slow?.close();
    expect(await end).toBe('ended');
  });

  it('a thread whose instance has ended and which goes on all the same is ended after a second', async () => {
    const threads = fakeThreads();
    await threads.running();
    const end = endOf(threads);
    const [one, other] = threads.workers;
    one!.onTold = () => one!.say({ type: 'ended', error: undefined });
    other!.onTold = () => other!.close();
    void threads.group.close(2_000);
    await threads.clock.advance(1_000);
    expect(one?.isTerminated).toBe(true);
    expect(await end).toBe('ended');
  });

  it('nobody is replaced any more', async () => {
    const threads = fakeThreads({ onWorkerFailure: 'replace' });
    await threads.running();
    threads.workers[1]?.exit(9);
    threads.workers[0]!.onTold = () => threads.workers[0]!.close();
    await threads.group.close(2_000);
    await threads.clock.advance(60_000);
    expect(threads.workers).toHaveLength(2);
    expect(threads.slot.isReleased).toBe(true);
  });
});
