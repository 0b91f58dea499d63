import { EMPTY, lastValueFrom } from 'rxjs';
import { checkConfig, type MillraceConfig } from '../../src/config';
import { kafkaCluster, memoryCluster, millrace } from '../../src/millrace';
import { withModuleOptions } from '../../src/threads/topology-module';

const given = (more: Partial<MillraceConfig>): MillraceConfig => ({ applicationId: 'app', brokers: ['localhost:9092'], ...more });
const onCluster = (more: Partial<MillraceConfig>): MillraceConfig => ({ applicationId: 'app', ...more });

describe('threads', () => {
  it('is 1 by default, and a thread that dies stops its instance', () => {
    expect(checkConfig(given({}))).toMatchObject({ threads: 1, onWorkerFailure: 'stop-instance' });
  });

  it.each([0, 65, 1.5, Number.NaN, '2' as unknown as number])('%p is refused', (threads) => {
    expect(() => checkConfig(given({ threads }))).toThrow(`threads is ${String(threads)}; it must be a whole number in 1 … 64`);
  });

  it('onWorkerFailure that is no verdict is refused', () => {
    const wrong = { onWorkerFailure: 'restart' as 'replace' };
    expect(() => checkConfig(given(wrong))).toThrow('onWorkerFailure is restart; it must be replace, stop-instance, stop-application, or');
  });

  it('a function as onProcessingError is refused with more than one, and said where it belongs', () => {
    const onProcessingError = () => 'skip' as const;
    expect(() => checkConfig(given({ threads: 2, onProcessingError }))).toThrow('export const options = { onProcessingError }');
    expect(checkConfig(given({ threads: 1, onProcessingError }))).toMatchObject({ onProcessingError });
  });

  it('a module gives onProcessingError, unless millrace() was given it', () => {
    const onProcessingError = () => 'skip' as const;
    expect(withModuleOptions(checkConfig(given({})), { onProcessingError })).toMatchObject({ onProcessingError });
    expect(() => withModuleOptions(checkConfig(given({ onProcessingError: 'skip' })), { onProcessingError })).toThrow(
      'leave one of them out',
    );
  });

  it('a cluster in memory is refused with more than one: it is in one thread', () => {
    expect(() => millrace(onCluster({ cluster: memoryCluster(), threads: 2 }))).toThrow('use threads: 1 with memoryCluster()');
    expect(() => millrace(onCluster({ cluster: kafkaCluster({ brokers: ['localhost:9092'] }), threads: 2 }))).not.toThrow();
  });

  it('a function as topology, and partitions(), are refused with more than one', async () => {
    const ended = lastValueFrom(millrace(given({ threads: 2 })).run(() => EMPTY));
    await expect(ended).rejects.toMatchObject({ code: 'ONE_THREAD_ONLY', where: { option: 'threads' } });
    await expect(ended).rejects.toThrow("topologyModule(new URL('./topology.js', import.meta.url))");
    const partitions = lastValueFrom(millrace(given({ threads: 2 })).partitions({ name: 'clicks' }));
    await expect(partitions).rejects.toMatchObject({ code: 'ONE_THREAD_ONLY' });
  });
});
