import { MillraceError } from '../errors/millrace-error';
import { describeCode } from './describe-code';
import { kafkaCode } from './error-codes';
import type { QueuedBatch } from './partition-queue';
import type { ProducePartitionAnswer } from './port';
import type { Refusal } from './produce-outcome';

/** Codes with which a broker refuses a batch for ever, and what to do about each. */
const remedies: ReadonlyMap<number, string> = new Map([
  [kafkaCode.MESSAGE_TOO_LARGE, "Raise the topic's max.message.bytes, or write less."],
  [kafkaCode.RECORD_LIST_TOO_LARGE, "Raise the topic's segment.bytes, or write less."],
  [kafkaCode.INVALID_RECORD, 'A compacted topic takes no record without a key.'],
  [
    kafkaCode.INVALID_TIMESTAMP,
    "Raise the topic's message.timestamp.before.max.ms or message.timestamp.after.max.ms, or correct the event times.",
  ],
  [kafkaCode.CORRUPT_MESSAGE, 'The bytes were damaged on the way, or a compacted topic got a record without a key.'],
  [kafkaCode.TOPIC_AUTHORIZATION_FAILED, 'Allow this user to write to the topic.'],
  [kafkaCode.INVALID_TOPIC_EXCEPTION, 'Choose a topic that may be written: this one is internal to Kafka, or its name is not allowed.'],
]);

export const refusedForEver: ReadonlySet<number> = new Set(remedies.keys());

/** What the broker's answer says about a batch it will not take. */
export function refusalOf<S>(batch: QueuedBatch<S>, answer: ProducePartitionAnswer): Refusal<S> {
  const { topic, partition, source, batch: encoded } = batch.toProduce;
  const code = answer.errorCode;
  const reasons = [
    answer.errorMessage,
    ...answer.recordErrors.slice(0, 3).map(({ index, message }) => `record ${index}: ${message ?? 'no reason'}`),
  ];
  const said = reasons.filter((reason) => reason !== null).join('; ');
  const error = new MillraceError(
    'PRODUCE_REFUSED',
    `The broker refused a batch of ${encoded.recordCount} records (${encoded.bytes.length} bytes) for ${topic}-${partition} with ` +
      `${describeCode(code)}${said === '' ? '' : ` (${said})`}. ${remedies.get(code) ?? ''}`,
    { where: { topic, partition } },
  );
  return { topic, partition, index: batch.index, source, code, records: answer.recordErrors, error };
}
