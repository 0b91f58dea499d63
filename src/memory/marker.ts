import { attribute, controlType, layout, LENGTH_FROM, MAGIC, writeBatchCrc } from '../kafka/record-batch';

/** What ends a transaction on one partition. */
export interface Marker {
  readonly producerId: bigint;
  /** The epoch that ended it: higher than that of the data when the coordinator fenced the producer. */
  readonly producerEpoch: number;
  readonly commit: boolean;
}

/** Zigzag varints of one byte. */
const length = (bytes: number): number => 2 * bytes;

/**
 * A control batch of one record. Its key is version i16 = 0 and type i16, its value version i16 = 0 and the coordinator's epoch i32.
 * It occupies one offset.
 * @see https://kafka.apache.org/documentation/#controlbatch
 */
export function markerBatch(marker: Marker, timestamp: number): Buffer {
  const type = marker.commit ? controlType.commit : controlType.abort;
  const record = Buffer.from([length(16), 0, 0, 0, length(4), 0, 0, 0, type, length(6), 0, 0, 0, 0, 0, 0, 0]);
  const bytes = Buffer.alloc(layout.records + record.length);
  bytes.writeInt32BE(bytes.length - LENGTH_FROM, layout.length);
  bytes.writeInt8(MAGIC, layout.magic);
  bytes.writeInt16BE(attribute.transactional | attribute.control, layout.attributes);
  bytes.writeBigInt64BE(BigInt(timestamp), layout.baseTimestamp);
  bytes.writeBigInt64BE(BigInt(timestamp), layout.maxTimestamp);
  bytes.writeBigInt64BE(marker.producerId, layout.producerId);
  bytes.writeInt16BE(marker.producerEpoch, layout.producerEpoch);
  bytes.writeInt32BE(-1, layout.baseSequence);
  bytes.writeInt32BE(1, layout.recordCount);
  record.copy(bytes, layout.records);
  writeBatchCrc(bytes, 0, bytes.length);
  return bytes;
}
