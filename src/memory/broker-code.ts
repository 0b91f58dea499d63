import { kafkaCode } from '../kafka/error-codes';

/** The codes a broker answers with: those the clients here decide by, and those they only pass on. */
export const brokerCode = {
  ...kafkaCode,
  OFFSET_METADATA_TOO_LARGE: 12,
  INVALID_GROUP_ID: 24,
  UNSUPPORTED_VERSION: 35,
  INVALID_PARTITIONS: 37,
  INVALID_REPLICATION_FACTOR: 38,
  INVALID_CONFIG: 40,
  INVALID_REQUEST: 42,
  POLICY_VIOLATION: 44,
} as const;
