import type { Fault } from '../schedule';
import { atWork, type Chaos, type Done } from './chaos';

/** ms in which an instance at work gets a record. */
const OBEYED_WITHIN_MS = 8_000;

type Of<K extends Fault['kind']> = Extract<Fault, { kind: K }>;

export async function slowRecord(chaos: Chaos, { instance, slowMs }: Of<'slowRecord'>): Promise<Done> {
  const target = atWork(chaos, instance);
  const wasSlow = await target.obeyed({ kind: 'slow', ms: slowMs }, 'wasSlow', OBEYED_WITHIN_MS + slowMs);
  if (!wasSlow) return undefined;
  chaos.story.tell(target.name, `a record took ${slowMs} ms`);
  return 'slowRecord';
}

/** What is committed cannot be written for a while; the instance may end by that, and is started again. */
export async function diskFull(chaos: Chaos, { instance, fullMs }: Of<'diskFull'>): Promise<Done> {
  const target = atWork(chaos, instance);
  if (!(await target.obeyed({ kind: 'full', ms: fullMs }, 'wasFull', OBEYED_WITHIN_MS + fullMs))) return undefined;
  chaos.story.tell(target.name, `its disk was full for ${fullMs} ms`);
  return 'diskFull';
}

export async function clockJump(chaos: Chaos, { instance, jumpMs }: Of<'clockJump'>): Promise<Done> {
  const target = atWork(chaos, instance);
  if (!(await target.obeyed({ kind: 'jump', ms: jumpMs }, 'jumped', OBEYED_WITHIN_MS))) return undefined;
  chaos.story.tell(target.name, `its wall clock was set by ${jumpMs} ms`);
  return 'clockJump';
}
