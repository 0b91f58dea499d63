import { chosenCluster } from '../../examples/chosen-cluster';

describe('chosenCluster', () => {
  it.each([{}, { KAFKA_BROKERS: '' }, { KAFKA_BROKERS: ' , ' }])('is in memory without brokers: %j', (environment) => {
    expect(chosenCluster(environment).place).toBe('a broker in this process');
  });

  it('is Kafka at the brokers that are named', () => {
    expect(chosenCluster({ KAFKA_BROKERS: 'a:9092, b:9092' }).place).toBe('Kafka at a:9092, b:9092');
  });
});
