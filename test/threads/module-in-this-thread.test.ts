import path from 'node:path';
import { lastValueFrom } from 'rxjs';
import { KafkaRecord, memoryCluster, millrace, topologyModule } from '../../src';
import { noOrigin } from '../../src/model/origin';
import { clicks, results } from './modules/counting';

describe('a topology module with one thread', () => {
  it('is run in this thread, as the function that it exports', async () => {
    const cluster = memoryCluster();
    await cluster.createTopics([
      { name: 'clicks', partitions: 2 },
      { name: 'results', partitions: 1 },
    ]);
    await cluster.write(
      clicks,
      ['a', 'b', 'a'].map((key, at) => KafkaRecord.of<string, string>(key, 'x', at, noOrigin)),
    );
    const app = millrace({ applicationId: 'app', cluster });
    await lastValueFrom(app.run(topologyModule(path.join(__dirname, 'modules', 'counting.ts')), { until: 'caught-up' }));
    const found = (await cluster.read(results)).map(({ key, value }) => `${key} ${String(value)}`);
    expect(found.sort()).toEqual(['a 1', 'a 2', 'b 1']);
  });

  it('one that is not there ends the run with its error', async () => {
    const app = millrace({ applicationId: 'app', cluster: memoryCluster() });
    await expect(lastValueFrom(app.run(topologyModule('nowhere.js')))).rejects.toMatchObject({ code: 'TOPOLOGY_MODULE_NOT_FOUND' });
  });
});
