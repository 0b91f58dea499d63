import type { AnyExchange } from '../exchange';
import { findCoordinator, metadata } from './cluster';
import { describeGroup, heartbeat, joinGroup, leaveGroup, offsetCommit, offsetFetch, syncGroup } from './groups';
import { deleteRecords, fetch, listOffsets, produce } from './log';
import { createTopics, deleteTopics, describeConfigs } from './topics';
import { addOffsetsToTxn, addPartitionsToTxn, endTxn, initProducerId, txnOffsetCommit } from './transactions';

/** Everything a broker must speak. */
export const exchanges: readonly AnyExchange[] = [
  ...[metadata, findCoordinator],
  ...[fetch, produce, listOffsets, deleteRecords],
  ...[initProducerId, addPartitionsToTxn, addOffsetsToTxn, txnOffsetCommit, endTxn],
  ...[joinGroup, syncGroup, heartbeat, leaveGroup, describeGroup, offsetCommit, offsetFetch],
  ...[createTopics, deleteTopics, describeConfigs],
];
