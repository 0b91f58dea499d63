import { cpSync, existsSync, rmSync } from 'node:fs';
import { waitUntil } from '../../kafka/wait-until';
import type { Instance } from '../instance';
import type { Fault } from '../schedule';
import type { Chaos, Done } from './chaos';
import { damageFolder } from './damage';
import { pause } from './pause';

/** ms in which an instance at work comes to any step; one without tasks may never. */
const STEP_WITHIN_MS = 12_000;
/** ms that an instance gets to be at work, so that the next fault has something to hit; it comes all the same when it is not. */
const RUNS_WITHIN_MS = 25_000;

type Of<K extends Fault['kind']> = Extract<Fault, { kind: K }>;

export async function killInstance(chaos: Chaos, { instance, downMs }: Of<'killInstance'>): Promise<Done> {
  const target = chaos.instances[instance]!;
  chaos.story.tell(target.name, `kill -9 while ${target.state}; down for ${downMs} ms`);
  await target.kill();
  await back(chaos, target, downMs);
  return 'killInstance';
}

export async function killAtStep(chaos: Chaos, { instance, step, nth, downMs }: Of<'killAtStep'>): Promise<Done> {
  const target = chaos.instances[instance]!;
  const died = await target.diesAt({ kind: 'atStep', step, nth, signal: 'SIGKILL' }, STEP_WITHIN_MS);
  chaos.story.tell(target.name, died ? `kill -9 at "${step}" (${nth}); down for ${downMs} ms` : `did not come to "${step}" ${nth} times`);
  if (!died) return killInstance(chaos, { kind: 'killInstance', instance, downMs });
  await back(chaos, target, downMs);
  return 'killAtStep';
}

export async function freeze(chaos: Chaos, { kind, instance, freezeMs }: Of<'freezeShort' | 'freezeLong'>): Promise<Done> {
  const target = chaos.instances[instance]!;
  if (!target.freeze()) return undefined;
  chaos.story.tell(target.name, `SIGSTOP while ${target.state}, for ${freezeMs} ms`);
  await pause(freezeMs, chaos.over);
  target.thaw();
  chaos.story.tell(target.name, 'SIGCONT');
  await atWorkAgain(chaos, target);
  return chaos.over.aborted ? undefined : kind;
}

export async function freezeTransaction(chaos: Chaos, { instance, step, nth, freezeMs }: Of<'freezeTransaction'>): Promise<Done> {
  const target = chaos.instances[instance]!;
  const stopped = await target.stopsAt({ kind: 'atStep', step, nth, signal: 'SIGSTOP' }, STEP_WITHIN_MS);
  if (!stopped) {
    chaos.story.tell(target.name, `did not come to "${step}" ${nth} times`);
    return freeze(chaos, { kind: 'freezeLong', instance, freezeMs: Math.round(freezeMs / 3) });
  }
  chaos.story.tell(target.name, `SIGSTOP at "${step}" with a transaction open, for ${freezeMs} ms`);
  await pause(freezeMs, chaos.over);
  target.thaw();
  chaos.story.tell(target.name, 'SIGCONT');
  await atWorkAgain(chaos, target);
  return chaos.over.aborted ? undefined : 'freezeTransaction';
}

export async function terminate(chaos: Chaos, { instance, downMs }: Of<'terminate'>): Promise<Done> {
  const target = chaos.instances[instance]!;
  chaos.story.tell(target.name, `SIGTERM while ${target.state}`);
  const exit = await target.terminate();
  // One that is still being loaded has no handler yet.
  const how = exit === 'tooLate' ? 'did not end in time, and was killed' : `ended with ${exit.signal ?? exit.code}`;
  chaos.story.tell(target.name, `${how}; down for ${downMs} ms`);
  if (exit === 'tooLate') chaos.story.failed('CLOSE_TOOK_TOO_LONG');
  await back(chaos, target, downMs);
  return 'terminate';
}

export async function diskDeleted(chaos: Chaos, { instance, downMs }: Of<'diskDeleted'>): Promise<Done> {
  const target = chaos.instances[instance]!;
  await target.kill();
  rmSync(target.stateDirectory, { recursive: true, force: true });
  chaos.story.tell(target.name, `kill -9, its disk is gone; down for ${downMs} ms`);
  await back(chaos, target, downMs);
  return 'diskDeleted';
}

export async function diskCorrupted(chaos: Chaos, { instance, damage, downMs }: Of<'diskCorrupted'>): Promise<Done> {
  const target = chaos.instances[instance]!;
  await target.kill();
  const damaged = damageFolder(target.stateDirectory, damage);
  chaos.story.tell(target.name, `kill -9, and the ${damage} of ${damaged ?? 'no task'} is damaged; down for ${downMs} ms`);
  await back(chaos, target, downMs);
  return damaged === undefined ? undefined : 'diskCorrupted';
}

/** What was on disk before some seconds of work is on disk again after them. */
export async function diskOlder(chaos: Chaos, { instance, aheadMs, kills }: Of<'diskOlder'>): Promise<Done> {
  const target = chaos.instances[instance]!;
  const older = `${target.stateDirectory}-older`;
  await target.kill();
  rmSync(older, { recursive: true, force: true });
  if (existsSync(target.stateDirectory)) cpSync(target.stateDirectory, older, { recursive: true });
  chaos.story.tell(target.name, 'kill -9, and a copy of its disk');
  await back(chaos, target, 0);
  await pause(aheadMs, chaos.over);
  if (kills) await target.kill();
  else await target.terminate();
  rmSync(target.stateDirectory, { recursive: true, force: true });
  if (existsSync(older)) cpSync(older, target.stateDirectory, { recursive: true });
  chaos.story.tell(target.name, `${kills ? 'kill -9' : 'SIGTERM'}, and its disk is that copy again, ${aheadMs} ms old`);
  await back(chaos, target, 0);
  return 'diskOlder';
}

/** Every second one comes and the one before goes. */
export async function memberChurn(chaos: Chaos, { members, kills }: Of<'memberChurn'>): Promise<Done> {
  chaos.story.tell('members', `${members} come and go, one a second`);
  const ends: Promise<unknown>[] = [];
  let came = 0;
  for (; came < members && !chaos.over.aborted; came++) {
    const extra = chaos.extra(came);
    extra.start();
    await pause(1_000, chaos.over);
    ends.push(kills[came] === true ? extra.kill() : extra.terminate());
  }
  await Promise.all(ends);
  chaos.story.tell('members', `${came} have come and gone`);
  return came === members ? 'memberChurn' : undefined;
}

async function back(chaos: Chaos, target: Instance, downMs: number): Promise<void> {
  await pause(downMs, chaos.over);
  target.start();
  await atWorkAgain(chaos, target);
}

async function atWorkAgain(chaos: Chaos, target: Instance): Promise<void> {
  const runs = await waitUntil(() => (target.state === 'running' || chaos.over.aborted ? true : undefined), { timeoutMs: RUNS_WITHIN_MS });
  if (runs === undefined) chaos.story.tell(target.name, `still ${target.state} after ${RUNS_WITHIN_MS} ms`);
}
