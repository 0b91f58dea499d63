/** A committed record as the JVM's reader prints it. */
export interface LoggedRecord {
  readonly topic: string;
  readonly partition: number;
  /** As it was written; of a topic with log-append time, when the broker took it. */
  readonly timestamp: number;
  readonly key: Buffer | null;
  readonly value: Buffer | null;
}

export function parseLine(line: string): LoggedRecord {
  const [topic = '', partition, timestamp, key = '-', value = '-', ...more] = line.split('\t');
  if (partition === undefined || timestamp === undefined || more.length > 0) throw new Error(`this is no record: ${line.slice(0, 200)}`);
  return { topic, partition: Number(partition), timestamp: Number(timestamp), key: bytesOf(key), value: bytesOf(value) };
}

const bytesOf = (text: string): Buffer | null => (text === '-' ? null : Buffer.from(text, 'base64'));

/** `-` stands for null, so no bytes at all are an empty text. */
export const textOf = (bytes: Buffer | null): string => bytes?.toString('utf8') ?? '(null)';
