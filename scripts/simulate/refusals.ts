import type { ApiName } from '../../src/memory/call';

/** What a broker may answer at any time, without having done anything. */
export const refusals: Partial<Readonly<Record<ApiName, readonly number[]>>> = {
  produce: [3, 6, 19],
  fetch: [3, 6],
  listOffsets: [6, 78],
  findCoordinator: [15],
  initProducerId: [14, 15, 16, 51],
  addPartitionsToTxn: [3, 14, 15, 16, 51],
  addOffsetsToTxn: [14, 15, 16, 51],
  // 29: nothing that another attempt would mend, so that the transaction is aborted.
  txnOffsetCommit: [14, 15, 16, 29, 29, 29],
  endTxn: [14, 15, 16, 51],
  offsetFetch: [14, 15, 16, 88],
  offsetCommit: [14, 15, 16, 27],
  joinGroup: [14, 15, 16],
  // -1: the assignment could not be kept.
  syncGroup: [-1, 14, 15, 16, 27],
  heartbeat: [14, 15, 16, 27],
};
