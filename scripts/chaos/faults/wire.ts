import type { Fault } from '../schedule';
import { atWork, type Chaos, type Done } from './chaos';
import { pause } from './pause';

/** ms in which an instance at work sends any request that is struck often; one that joins no group sends no JoinGroup. */
const STRUCK_WITHIN_MS = 6_000;

type Of<K extends Fault['kind']> = Extract<Fault, { kind: K }>;

export async function answerLost(chaos: Chaos, { instance, request }: Of<'answerLost'>): Promise<Done> {
  const { name, wire } = atWork(chaos, instance);
  if (!(await wire.loseAnswer(request, STRUCK_WITHIN_MS))) return undefined;
  chaos.story.tell(name, `the answer to ${request} was lost`);
  return 'answerLost';
}

export async function oldCopy(chaos: Chaos, { instance, request, delayMs }: Of<'oldCopy'>): Promise<Done> {
  const { name, wire } = atWork(chaos, instance);
  if (!(await wire.holdRequest(request, delayMs, STRUCK_WITHIN_MS))) return undefined;
  chaos.story.tell(name, `${request} was held up for ${delayMs} ms, its connection broke`);
  await pause(delayMs, chaos.over);
  return 'oldCopy';
}

export async function connectionsCut(chaos: Chaos, { instance, midAnswer }: Of<'connectionsCut'>): Promise<Done> {
  const { name, wire } = atWork(chaos, instance);
  if (midAnswer) {
    if (!(await wire.breakAnswer(STRUCK_WITHIN_MS))) return undefined;
    chaos.story.tell(name, 'an answer broke off in its middle');
    return 'connectionsCut';
  }
  const cut = wire.cut();
  chaos.story.tell(name, `${cut} connections were cut`);
  return cut > 0 ? 'connectionsCut' : undefined;
}
