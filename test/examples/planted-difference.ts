import type { Cluster } from '../../src';

/** A cluster that writes another value than it was given in the place of one record: what checks a run knows the right one. */
export function writesWrongly<T>(cluster: Cluster, index: number, alter: (value: T) => T): Cluster {
  const { write } = cluster;
  const wrongly: Cluster['write'] = (topic, records) =>
    write(
      topic,
      [...records].map((record, i) => (i === index ? record.withValue(alter(record.value as never) as never) : record)),
    );
  return Object.assign(cluster, { write: wrongly });
}

/** Two streams and what was written to them. */
export function capture() {
  const said = { out: '', err: '' };
  const out = { write: (text: string) => (said.out += text) };
  const err = { write: (text: string) => (said.err += text) };
  return { said, streams: { out, err } };
}
