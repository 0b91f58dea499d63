import { Chance } from '../simulate/chance';

export const INSTANCES = 3;
export const BROKERS = 3;
/** ms without a heartbeat until the group gives a member's tasks away. */
export const SESSION_TIMEOUT_MS = 6_000;
export const REQUEST_TIMEOUT_MS = 20_000;
/** The least that goes with that request timeout. */
export const TRANSACTION_TIMEOUT_MS = REQUEST_TIMEOUT_MS + 5_000;
/** ms that one of the long stops of a broker lasts. */
export const LONG_STOP_MS = 40_000;

/** Where an instance kills or stops itself: steps of the commit protocol, of local state, of the group. */
export const STEPS = [
  'pushing',
  'adding partitions',
  'producing',
  'adding offsets',
  'offsets sent',
  'between offsets and EndTxn',
  'ending',
  'ended',
  'writing LevelDB',
  'joinGroup',
  'syncGroup',
  'offsetFetch',
] as const;
export type Step = (typeof STEPS)[number];
/** Between these and the end of the transaction it is open at the broker. */
const OPEN_STEPS: readonly Step[] = ['adding offsets', 'offsets sent', 'between offsets and EndTxn'];

/** Only when the group is joined. */
const RARE_STEPS: readonly Step[] = ['joinGroup', 'syncGroup', 'offsetFetch'];

export const STRUCK_REQUESTS = [
  'Produce',
  'AddPartitionsToTxn',
  'AddOffsetsToTxn',
  'TxnOffsetCommit',
  'EndTxn',
  'Heartbeat',
  'JoinGroup',
  'SyncGroup',
  'OffsetFetch',
  'InitProducerId',
  'Fetch',
] as const;
export type StruckRequest = (typeof STRUCK_REQUESTS)[number];
/** What is asked at every commit, and so soon enough. */
const FREQUENT: readonly StruckRequest[] = STRUCK_REQUESTS.slice(0, 6);
/** Those that change something when an old copy of them is executed. */
const WRITING: readonly StruckRequest[] = FREQUENT;

/** What is wrong with one of the folders of an instance's tasks: nonsense for its manifest, no CURRENT, a log with a piece of nonsense in it. */
export const DAMAGES = ['manifest', 'current', 'log'] as const;
export type Damage = (typeof DAMAGES)[number];

/** One fault with all that chance has to say about it. Times are ms. */
export type Fault =
  | { readonly kind: 'killInstance'; readonly instance: number; readonly downMs: number }
  | { readonly kind: 'killAtStep'; readonly instance: number; readonly step: Step; readonly nth: number; readonly downMs: number }
  | { readonly kind: 'freezeShort' | 'freezeLong'; readonly instance: number; readonly freezeMs: number }
  | { readonly kind: 'freezeTransaction'; readonly instance: number; readonly step: Step; readonly nth: number; readonly freezeMs: number }
  | { readonly kind: 'terminate'; readonly instance: number; readonly downMs: number }
  | { readonly kind: 'diskDeleted'; readonly instance: number; readonly downMs: number }
  | { readonly kind: 'diskOlder'; readonly instance: number; readonly aheadMs: number; readonly kills: boolean }
  | { readonly kind: 'diskCorrupted'; readonly instance: number; readonly damage: Damage; readonly downMs: number }
  | { readonly kind: 'diskFull'; readonly instance: number; readonly fullMs: number }
  | { readonly kind: 'memberChurn'; readonly members: number; readonly kills: readonly boolean[] }
  | { readonly kind: 'killBroker'; readonly broker: number; readonly downMs: number }
  | { readonly kind: 'killCoordinator'; readonly of: 'group' | 'transaction'; readonly instance: number; readonly downMs: number }
  | { readonly kind: 'stopBroker' | 'stopBrokerLong'; readonly broker: number; readonly freezeMs: number }
  | { readonly kind: 'answerLost'; readonly instance: number; readonly request: StruckRequest }
  | { readonly kind: 'oldCopy'; readonly instance: number; readonly request: StruckRequest; readonly delayMs: number }
  | { readonly kind: 'connectionsCut'; readonly instance: number; readonly midAnswer: boolean }
  | { readonly kind: 'slowRecord'; readonly instance: number; readonly slowMs: number }
  | { readonly kind: 'clockJump'; readonly instance: number; readonly jumpMs: number };
export type FaultKind = Fault['kind'];

export interface PlannedFault {
  /** ms after the faults have begun, if all before it took as long as expected. */
  readonly atMs: number;
  readonly fault: Fault;
}

/** Faults that come one after the other; lanes go on side by side. */
export interface Lane {
  readonly name: string;
  readonly faults: readonly PlannedFault[];
}

interface LanePlan {
  readonly name: string;
  /** One of each comes up before any comes up again. */
  readonly deck: readonly FaultKind[];
  /** ms between the end of one fault and the next. */
  readonly pauseMs: readonly [least: number, most: number];
  readonly draw: (chance: Chance, kind: FaultKind) => Fault;
}

const between = (chance: Chance, least: number, most: number): number => least + chance.below(most - least + 1);

const BROKER_DECK: readonly FaultKind[] = ['killBroker', 'killCoordinator', 'stopBroker', 'stopBrokerLong'];
const INSTANCE_DECK: readonly FaultKind[] = [
  ...([
    'killInstance',
    'killAtStep',
    'freezeShort',
    'freezeLong',
    'freezeTransaction',
    'terminate',
    'diskDeleted',
    'diskOlder',
    'diskCorrupted',
  ] as const),
];
const WIRE_DECK: readonly FaultKind[] = ['answerLost', 'answerLost', 'oldCopy', 'oldCopy', 'connectionsCut'];

function lanePlans(): LanePlan[] {
  const instances = Array.from({ length: INSTANCES }, (_, instance): LanePlan => ({
    name: `instance ${instance}`,
    deck: INSTANCE_DECK,
    pauseMs: [2_000, 9_000],
    draw: (chance, kind) => instanceFault(chance, kind, instance),
  }));
  return [
    { name: 'brokers', deck: BROKER_DECK, pauseMs: [500, 3_000], draw: brokerFault },
    ...instances,
    { name: 'wire', deck: WIRE_DECK, pauseMs: [1_000, 6_000], draw: wireFault },
    { name: 'inside', deck: ['slowRecord', 'clockJump', 'diskFull'], pauseMs: [4_000, 12_000], draw: insideFault },
    { name: 'members', deck: ['memberChurn'], pauseMs: [25_000, 55_000], draw: churn },
  ];
}

function instanceFault(chance: Chance, kind: FaultKind, instance: number): Fault {
  // Within the session timeout or beyond it: then its tasks have gone to others when it comes back.
  const downMs = chance.happens(0.5) ? between(chance, 0, 2_000) : between(chance, SESSION_TIMEOUT_MS, SESSION_TIMEOUT_MS + 3_000);
  switch (kind) {
    case 'killAtStep': {
      const step = chance.oneOf(STEPS);
      return { kind, instance, step, nth: RARE_STEPS.includes(step) ? 1 : between(chance, 1, 6), downMs };
    }
    case 'freezeShort':
      return { kind, instance, freezeMs: between(chance, 200, SESSION_TIMEOUT_MS - 2_000) };
    case 'freezeLong':
      return { kind, instance, freezeMs: between(chance, SESSION_TIMEOUT_MS + 2_000, 2 * SESSION_TIMEOUT_MS + 2_000) };
    case 'freezeTransaction': {
      const freezeMs = between(chance, TRANSACTION_TIMEOUT_MS + 2_000, TRANSACTION_TIMEOUT_MS + 5_000);
      return { kind, instance, step: chance.oneOf(OPEN_STEPS), nth: between(chance, 1, 6), freezeMs };
    }
    case 'diskOlder':
      return { kind, instance, aheadMs: between(chance, 3_000, 9_000), kills: chance.happens(0.5) };
    case 'diskCorrupted':
      return { kind, instance, damage: chance.oneOf(DAMAGES), downMs };
    case 'diskDeleted':
    case 'terminate':
      return { kind, instance, downMs };
    default:
      return { kind: 'killInstance', instance, downMs };
  }
}

function brokerFault(chance: Chance, kind: FaultKind): Fault {
  const broker = between(chance, 1, BROKERS);
  const downMs = between(chance, 0, 4_000);
  switch (kind) {
    case 'killCoordinator':
      return { kind, of: chance.oneOf(['group', 'transaction'] as const), instance: chance.below(INSTANCES), downMs };
    case 'stopBroker':
      return { kind, broker, freezeMs: between(chance, 500, 5_000) };
    case 'stopBrokerLong':
      return { kind, broker, freezeMs: LONG_STOP_MS };
    default:
      return { kind: 'killBroker', broker, downMs };
  }
}

function wireFault(chance: Chance, kind: FaultKind): Fault {
  const instance = chance.below(INSTANCES);
  switch (kind) {
    case 'answerLost':
      return { kind, instance, request: chance.oneOf(chance.happens(0.8) ? FREQUENT : STRUCK_REQUESTS) };
    case 'oldCopy':
      return { kind, instance, request: chance.oneOf(WRITING), delayMs: between(chance, 20, 4_000) };
    default:
      return { kind: 'connectionsCut', instance, midAnswer: chance.happens(0.5) };
  }
}

const HOUR_MS = 3_600_000;

function insideFault(chance: Chance, kind: FaultKind): Fault {
  const instance = chance.below(INSTANCES);
  // From a stutter to longer than the session.
  if (kind === 'slowRecord')
    return { kind, instance, slowMs: chance.happens(0.6) ? between(chance, 200, 3_000) : between(chance, 3_000, 9_000) };
  // Longer than whoever writes tries again, or not.
  if (kind === 'diskFull') return { kind, instance, fullMs: between(chance, 200, 4_000) };
  const far = chance.oneOf([5_000, 60_000, HOUR_MS, 30 * HOUR_MS]);
  return { kind: 'clockJump', instance, jumpMs: chance.happens(0.5) ? far : -far };
}

function churn(chance: Chance): Fault {
  const members = between(chance, 4, 8);
  return { kind: 'memberChurn', members, kills: Array.from({ length: members }, () => chance.happens(0.3)) };
}

/** ms that a broker needs to come back and to have the others' records again. */
const BROKER_BACK_MS = 9_000;
/** ms that an instance needs to be told, to die and to be started. */
const INSTANCE_BACK_MS = 1_500;

/** How long a fault is expected to take, with what it needs to be over. */
export function expectedMs(fault: Fault): number {
  switch (fault.kind) {
    case 'killBroker':
    case 'killCoordinator':
      return fault.downMs + BROKER_BACK_MS;
    case 'stopBroker':
    case 'stopBrokerLong':
      return fault.freezeMs + 4_000;
    case 'freezeShort':
    case 'freezeLong':
    case 'freezeTransaction':
      return fault.freezeMs + INSTANCE_BACK_MS;
    case 'diskOlder':
      return fault.aheadMs + 2 * INSTANCE_BACK_MS;
    case 'killInstance':
    case 'killAtStep':
    case 'terminate':
    case 'diskDeleted':
    case 'diskCorrupted':
      return fault.downMs + 2 * INSTANCE_BACK_MS;
    case 'memberChurn':
      return fault.members * 1_000 + 2_000;
    case 'slowRecord':
      return fault.slowMs;
    case 'diskFull':
      return fault.fullMs + INSTANCE_BACK_MS;
    default:
      return 1_000;
  }
}

/** What happens when, if nothing takes longer than expected: the same for the same seed and time. */
export function scheduleOf(seed: number, seconds: number): readonly Lane[] {
  return lanePlans().map((plan, number) => ({ name: plan.name, faults: laneOf(plan, new Chance(seed * 64 + number), seconds * 1_000) }));
}

function laneOf({ deck, pauseMs, draw }: LanePlan, chance: Chance, spanMs: number): PlannedFault[] {
  const faults: PlannedFault[] = [];
  let atMs = 1_000 + chance.below(pauseMs[1]);
  for (;;) {
    for (const kind of shuffled(chance, deck)) {
      const fault = draw(chance, kind);
      const lasts = expectedMs(fault);
      if (atMs >= spanMs) return faults;
      // What cannot end in time is left out; something shorter may follow.
      if (atMs + lasts <= spanMs) {
        faults.push({ atMs, fault });
        atMs += lasts;
      }
      atMs += between(chance, ...pauseMs);
    }
  }
}

/** Whole decks: in a run that is long enough each kind comes up, as often as every other. */
function shuffled(chance: Chance, deck: readonly FaultKind[]): FaultKind[] {
  const dealt = [...deck];
  for (let at = dealt.length - 1; at > 0; at--) {
    const other = chance.below(at + 1);
    [dealt[at], dealt[other]] = [dealt[other]!, dealt[at]!];
  }
  return dealt;
}
