import { kafkaCode } from './error-codes';

/** Codes nobody else decides by. */
const REPLICA_NOT_AVAILABLE = 9;
const NETWORK_EXCEPTION = 13;

/** The partition's leader is elsewhere, or not known to the broker that was asked: look it up again, then ask again. */
export const leaderMoved: ReadonlySet<number> = new Set([
  kafkaCode.UNKNOWN_TOPIC_OR_PARTITION,
  kafkaCode.LEADER_NOT_AVAILABLE,
  kafkaCode.NOT_LEADER_OR_FOLLOWER,
  REPLICA_NOT_AVAILABLE,
  kafkaCode.KAFKA_STORAGE_ERROR,
  kafkaCode.FENCED_LEADER_EPOCH,
  kafkaCode.UNKNOWN_LEADER_EPOCH,
]);

/** The coordinator is elsewhere: look it up again, then ask again. */
export const coordinatorMoved: ReadonlySet<number> = new Set([kafkaCode.COORDINATOR_NOT_AVAILABLE, kafkaCode.NOT_COORDINATOR]);

/** The coordinator is loading, moving, or completing this id's last transaction: the same request will be answered soon. */
export const coordinatorBusy: ReadonlySet<number> = new Set([
  kafkaCode.COORDINATOR_LOAD_IN_PROGRESS,
  kafkaCode.CONCURRENT_TRANSACTIONS,
  ...coordinatorMoved,
]);

/**
 * A Produce that may be repeated with the same bytes. 19 and the coordinator's codes also come from the broker's check with the
 * transaction coordinator, when that could not be reached or is busy.
 */
export const produceAgain: ReadonlySet<number> = new Set([
  ...leaderMoved,
  ...coordinatorBusy,
  kafkaCode.REQUEST_TIMED_OUT,
  kafkaCode.NOT_ENOUGH_REPLICAS,
  kafkaCode.NOT_ENOUGH_REPLICAS_AFTER_APPEND,
  NETWORK_EXCEPTION,
]);

/** ListOffsets, Fetch and DeleteRecords: 78 means that a new leader does not know its high watermark yet. */
export const readAgain: ReadonlySet<number> = new Set([
  ...leaderMoved,
  kafkaCode.REQUEST_TIMED_OUT,
  kafkaCode.OFFSET_NOT_AVAILABLE,
  NETWORK_EXCEPTION,
]);

/** OffsetFetch with requireStable: a transaction over these offsets is open or being completed. */
export const offsetFetchAgain: ReadonlySet<number> = new Set([...coordinatorBusy, kafkaCode.UNSTABLE_OFFSET_COMMIT]);

/** After EndTxn: nothing is known of what it did, so that only the same request again can tell. */
export const endTxnAgain: ReadonlySet<number> = new Set([
  ...coordinatorBusy,
  kafkaCode.UNKNOWN_SERVER_ERROR,
  kafkaCode.REQUEST_TIMED_OUT,
  NETWORK_EXCEPTION,
]);

/** Somebody else holds the transactional id, or the broker ended the transaction for its age: both look alike here. */
export const fencedOrTimedOut: ReadonlySet<number> = new Set([kafkaCode.INVALID_PRODUCER_EPOCH, kafkaCode.PRODUCER_FENCED]);
