import * as t from 'io-ts';
import { json, kafkaCluster, KafkaRecord, string, topic } from '../../src';
import { noOrigin } from '../../src/model/origin';
import { clicks, PARTITIONS, type Click, type ClicksOptions } from './clicks';

const Click = t.type({
  id: t.number,
  user: t.string,
  page: t.string,
  referrer: t.string,
  kind: t.string,
  at: t.number,
  amount: t.number,
});

/** Makes the input topic and fills it; what is in it is checked by way of the results. */
export async function load(brokers: readonly string[], name: string, options: ClicksOptions): Promise<void> {
  const cluster = kafkaCluster({ brokers });
  try {
    await cluster.createTopics([{ name, partitions: PARTITIONS, configs: { 'retention.ms': '-1' } }]);
    await cluster.write(topic(name, { key: string, value: json(Click) }), toRecords(clicks(options)));
  } finally {
    await cluster.close();
  }
}

function* toRecords(all: Iterable<Click>): Iterable<KafkaRecord<string, Click>> {
  for (const click of all) yield KafkaRecord.of<string, Click>(click.user, click, click.at, noOrigin);
}
