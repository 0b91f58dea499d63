import type { Fault, FaultKind, Lane } from '../schedule';
import { killBroker, killCoordinator, stopBroker } from './brokers';
import type { Chaos, Done } from './chaos';
import { clockJump, diskFull, slowRecord } from './inside';
import {
  diskCorrupted,
  diskDeleted,
  diskOlder,
  freeze,
  freezeTransaction,
  killAtStep,
  killInstance,
  memberChurn,
  terminate,
} from './instances';
import { pause } from './pause';
import { answerLost, connectionsCut, oldCopy } from './wire';

/** ms of work between two faults of one lane, however late it is. */
const LEAST_PAUSE_MS = 500;

/**
 * Does what a lane says, one after the other, each at its time or as soon as the one before is over.
 *
 * @param isWanted whether faults of this kind still are
 */
export async function performLane(
  chaos: Chaos,
  { faults }: Lane,
  elapsedMs: () => number,
  isWanted: (kind: FaultKind) => boolean,
): Promise<void> {
  for (const { atMs, fault } of faults) {
    if (!isWanted(fault.kind)) continue;
    await pause(Math.max(LEAST_PAUSE_MS, atMs - elapsedMs()), chaos.over);
    if (chaos.over.aborted) return;
    const done = await perform(chaos, fault);
    if (done !== undefined) chaos.story.count(done);
  }
}

function perform(chaos: Chaos, fault: Fault): Promise<Done> {
  switch (fault.kind) {
    case 'killInstance':
      return killInstance(chaos, fault);
    case 'killAtStep':
      return killAtStep(chaos, fault);
    case 'freezeShort':
    case 'freezeLong':
      return freeze(chaos, fault);
    case 'freezeTransaction':
      return freezeTransaction(chaos, fault);
    case 'terminate':
      return terminate(chaos, fault);
    case 'diskDeleted':
      return diskDeleted(chaos, fault);
    case 'diskOlder':
      return diskOlder(chaos, fault);
    case 'diskCorrupted':
      return diskCorrupted(chaos, fault);
    case 'memberChurn':
      return memberChurn(chaos, fault);
    case 'killBroker':
      return killBroker(chaos, fault);
    case 'killCoordinator':
      return killCoordinator(chaos, fault);
    case 'stopBroker':
    case 'stopBrokerLong':
      return stopBroker(chaos, fault);
    case 'answerLost':
      return answerLost(chaos, fault);
    case 'oldCopy':
      return oldCopy(chaos, fault);
    case 'connectionsCut':
      return connectionsCut(chaos, fault);
    case 'slowRecord':
      return slowRecord(chaos, fault);
    case 'diskFull':
      return diskFull(chaos, fault);
    case 'clockJump':
      return clockJump(chaos, fault);
  }
}
