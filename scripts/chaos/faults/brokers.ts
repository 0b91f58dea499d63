import type { ClusterBroker } from '../../kafka-server';
import type { Fault } from '../schedule';
import type { Chaos, Done } from './chaos';
import { pause } from './pause';

/** ms in which the others' records must have reached a broker that is back. Only then may the next one fail: two of three are needed. */
const WHOLE_WITHIN_MS = 60_000;

type Of<K extends Fault['kind']> = Extract<Fault, { kind: K }>;

export async function killBroker(chaos: Chaos, { broker, downMs }: Of<'killBroker'>): Promise<Done> {
  return killed(chaos, chaos.brokers.cluster.broker(broker), 'a broker', downMs).then(() => 'killBroker');
}

export async function killCoordinator(chaos: Chaos, { of, instance, downMs }: Of<'killCoordinator'>): Promise<Done> {
  const { application, instances } = chaos;
  const ids = instances.flatMap(({ transactionalId }) => transactionalId ?? []);
  const id = of === 'group' ? application : ids[instance % ids.length]!;
  const coordinator = await chaos.brokers.coordinatorOf(of, id);
  if (coordinator === undefined) return undefined;
  const what = `the coordinator of ${of} ${id}`;
  return killed(chaos, chaos.brokers.cluster.broker(coordinator), what, downMs).then(() => 'killCoordinator');
}

export async function stopBroker(chaos: Chaos, { kind, broker, freezeMs }: Of<'stopBroker' | 'stopBrokerLong'>): Promise<Done> {
  const target = chaos.brokers.cluster.broker(broker);
  target.stop();
  chaos.story.tell(`broker ${broker}`, `SIGSTOP for ${freezeMs} ms`);
  await pause(freezeMs, chaos.over);
  target.continue();
  chaos.story.tell(`broker ${broker}`, 'SIGCONT');
  await whole(chaos);
  return chaos.over.aborted ? undefined : kind;
}

async function killed(chaos: Chaos, broker: ClusterBroker, what: string, downMs: number): Promise<void> {
  await broker.kill();
  chaos.story.tell(`broker ${broker.id}`, `kill -9 of ${what}; down for ${downMs} ms`);
  await pause(downMs, chaos.over);
  await broker.restart();
  chaos.story.tell(`broker ${broker.id}`, 'is back');
  await whole(chaos);
}

async function whole(chaos: Chaos): Promise<void> {
  const isWhole = await chaos.brokers.whole(WHOLE_WITHIN_MS);
  chaos.story.tell('brokers', isWhole ? 'all replicas are in sync' : `replicas are not in sync after ${WHOLE_WITHIN_MS} ms`);
}
