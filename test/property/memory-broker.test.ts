import * as fc from 'fast-check';
import { BatchReader } from '../../src/kafka/batch-decode';
import { BatchBuilder, stamp } from '../../src/kafka/batch-encode';
import type { KafkaPort, ProducerIdentity } from '../../src/kafka/port';
import type { FaultAction } from '../../src/memory/faults';
import { memoryBroker, type MemoryBroker } from '../../src/memory/memory-broker';
import { delay } from '../../src/time/clock';
import { type ManualClock, manualClock } from '../../src/time/manual-clock';
import { Driven } from '../memory/driven';

const TOPIC = 'log';
const PARTITIONS = [0, 1];
const TIMEOUT_MS = 30_000;
/** More with PROPERTY_RUNS. */
const RUNS = Number(process.env['PROPERTY_RUNS'] ?? 40);

function batch(value: string, producer?: ProducerIdentity, sequence = 0): Buffer {
  const builder = new BatchBuilder();
  builder.append(1, null, value);
  const encoded = builder.finish({ compression: 'none', transactional: producer !== undefined });
  stamp(encoded, producer?.producerId ?? -1n, producer?.producerEpoch ?? -1, producer === undefined ? -1 : sequence);
  return Buffer.from(encoded.bytes);
}

class World {
  readonly clock: ManualClock;
  readonly broker: MemoryBroker;
  readonly port: KafkaPort;
  readonly #driven: Driven;

  constructor(seed: number) {
    this.clock = manualClock({ seed });
    this.broker = memoryBroker({ clock: this.clock, latencyMs: () => Math.floor(this.clock.random() * 3) });
    this.broker.createTopic(TOPIC, PARTITIONS.length);
    this.#driven = new Driven(this.clock);
    this.port = this.#driven.port(this.broker.connect('client'));
  }

  pause(ms: number): Promise<void> {
    return this.#driven.awaited(delay(this.clock, ms));
  }

  /** Offsets and values a reader gets from `from` on, in fetches of at most `maxBytes`. */
  async read(partition: number, readCommitted: boolean, from = 0, maxBytes = 150): Promise<[number, string][]> {
    const reader = new BatchReader({ topic: TOPIC, partition });
    const found: [number, string][] = [];
    for (let offset = from; ;) {
      const request = { maxWaitMs: 0, minBytes: 1, maxBytes, readCommitted };
      const partitions = [{ topic: TOPIC, partition, offset, maxBytes, leaderEpoch: -1 }];
      const answer = (await this.port.fetch(1, { ...request, partitions }, 'input')).partitions[0]!;
      expect(answer.errorCode).toBe(0);
      reader.reset(answer.records, { aborted: answer.aborted, from: offset, readCommitted });
      while (reader.nextRecord()) found.push([reader.offset, reader.buffer.toString('utf8', reader.valueStart, reader.valueEnd)]);
      if (reader.nextOffset === offset) return found;
      offset = reader.nextOffset;
    }
  }
}

/** What the log should hold, kept in the simplest way. */
interface Entry {
  readonly offset: number;
  readonly value: string;
  readonly transaction: { state: 'open' | 'committed' | 'aborted' } | undefined;
}

function committed(entries: readonly Entry[]): [number, string][] {
  const firstOpen = entries.findIndex(({ transaction }) => transaction?.state === 'open');
  const stable = firstOpen < 0 ? entries : entries.slice(0, firstOpen);
  return stable.filter(({ transaction }) => transaction?.state !== 'aborted').map(({ offset, value }) => [offset, value]);
}

type Step =
  | { readonly does: 'write'; readonly id: number; readonly partition: number }
  | { readonly does: 'write plainly'; readonly partition: number }
  | { readonly does: 'end'; readonly id: number; readonly commit: boolean }
  | { readonly does: 'take over'; readonly id: number }
  | { readonly does: 'wait' };

const id = fc.nat({ max: 2 });
const partition = fc.constantFrom(...PARTITIONS);
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 6, arbitrary: fc.record({ does: fc.constant('write' as const), id, partition }) },
  { weight: 2, arbitrary: fc.record({ does: fc.constant('write plainly' as const), partition }) },
  { weight: 4, arbitrary: fc.record({ does: fc.constant('end' as const), id, commit: fc.boolean() }) },
  { weight: 1, arbitrary: fc.record({ does: fc.constant('take over' as const), id }) },
  { weight: 1, arbitrary: fc.record({ does: fc.constant('wait' as const) }) },
);

interface Holder {
  producer: ProducerIdentity;
  transaction: { state: 'open' | 'committed' | 'aborted' } | undefined;
  sequences: number[];
}

/** Runs the steps on a broker and on the model at once; after each, both show the same log. */
class Comparison {
  readonly #world: World;
  readonly #model: Entry[][] = PARTITIONS.map(() => []);
  readonly #holders = new Map<number, Holder>();
  #values = 0;

  constructor(seed: number) {
    this.#world = new World(seed);
  }

  async run(steps: readonly Step[]): Promise<void> {
    for (const each of steps) {
      await this.#take(each);
      await this.#world.clock.advance(20);
      await this.#compare();
    }
  }

  async #take(each: Step): Promise<void> {
    switch (each.does) {
      case 'write':
        await this.#write(each.id, each.partition);
        break;
      case 'write plainly':
        await this.#append(each.partition, null, undefined, batch(`plain-${String(this.#values)}`));
        break;
      case 'end':
        await this.#end(each.id, each.commit);
        break;
      case 'take over':
        await this.#takeOver(each.id);
        break;
      case 'wait':
        await this.#world.clock.advance(TIMEOUT_MS + 1);
        for (const { transaction } of this.#holders.values()) if (transaction?.state === 'open') transaction.state = 'aborted';
    }
  }

  async #takeOver(who: number): Promise<Holder> {
    const before = this.#holders.get(who)?.transaction;
    for (;;) {
      const answer = await this.#world.port.initProducerId(1, { transactionalId: String(who), transactionTimeoutMs: TIMEOUT_MS });
      if (before?.state === 'open') before.state = 'aborted';
      if (answer.errorCode === 51) continue;
      expect(answer.errorCode).toBe(0);
      const { producerId, producerEpoch } = answer;
      const holder = { producer: { producerId, producerEpoch }, transaction: undefined, sequences: PARTITIONS.map(() => 0) };
      this.#holders.set(who, holder);
      return holder;
    }
  }

  async #write(who: number, to: number): Promise<void> {
    let holder = this.#holders.get(who) ?? (await this.#takeOver(who));
    // After a timeout the broker has moved on to an epoch this holder does not know.
    if (holder.transaction?.state === 'aborted') holder = await this.#takeOver(who);
    const transactionalId = String(who);
    const added = await this.#world.port.addPartitionsToTxn(1, {
      ...holder.producer,
      transactionalId,
      partitions: [{ topic: TOPIC, partition: to }],
    });
    expect(added.partitions[0]!.errorCode).toBe(0);
    holder.transaction ??= { state: 'open' };
    if (holder.transaction.state !== 'open') holder.transaction = { state: 'open' };
    const sequence = holder.sequences[to]!++;
    const records = batch(`${transactionalId}-${String(this.#values)}`, holder.producer, sequence);
    await this.#append(to, transactionalId, holder.transaction, records);
  }

  async #append(to: number, transactionalId: string | null, transaction: Entry['transaction'], records: Buffer): Promise<void> {
    const request = { transactionalId, timeoutMs: 1_000, partitions: [{ topic: TOPIC, partition: to, records }] };
    const { errorCode, baseOffset } = (await this.#world.port.produce(1, request)).partitions[0]!;
    expect(errorCode).toBe(0);
    const name = transactionalId ?? 'plain';
    this.#model[to]!.push({ offset: baseOffset, value: `${name}-${String(this.#values++)}`, transaction });
  }

  async #end(who: number, commit: boolean): Promise<void> {
    const holder = this.#holders.get(who);
    if (holder === undefined) return;
    const request = { transactionalId: String(who), ...holder.producer, commit };
    const { errorCode } = await this.#world.port.endTxn(1, request);
    const { transaction } = holder;
    if (transaction === undefined) expect(errorCode).toBe(48);
    else if (transaction.state !== 'open') expect(errorCode).toBe(this.#repeated(holder, commit));
    else {
      expect(errorCode).toBe(0);
      transaction.state = commit ? 'committed' : 'aborted';
    }
  }

  /** 0 for the same decision again, 48 for the other one, 90 when the broker has fenced the holder after its timeout. */
  #repeated({ producer, transaction }: Holder, commit: boolean): number {
    const known = this.#world.broker.transactions().find(({ producerId }) => producerId === producer.producerId);
    if (known?.producerEpoch !== producer.producerEpoch) return 90;
    return transaction!.state === (commit ? 'committed' : 'aborted') ? 0 : 48;
  }

  async #compare(): Promise<void> {
    for (const each of PARTITIONS) {
      const entries = this.#model[each]!;
      const expected = committed(entries);
      expect(await this.#world.read(each, true)).toEqual(expected);
      expect(await this.#world.read(each, false)).toEqual(entries.map(({ offset, value }) => [offset, value]));
      const { lastStableOffset, highWatermark } = this.#world.broker.partition({ topic: TOPIC, partition: each })!;
      const firstOpen = entries.find(({ transaction }) => transaction?.state === 'open');
      expect(lastStableOffset).toBe(firstOpen?.offset ?? highWatermark);
      const from = Math.floor(highWatermark / 2);
      expect(await this.#world.read(each, true, from)).toEqual(expected.filter(([offset]) => offset >= from));
    }
  }
}

const action: fc.Arbitrary<FaultAction> = fc.oneof(
  fc.constant<FaultAction>({ kind: 'fail before' }),
  fc.constant<FaultAction>({ kind: 'lose answer' }),
  fc.constant<FaultAction>({ kind: 'lose answer', then: 'hang' }),
  fc.record({ kind: fc.constant('delay' as const), ms: fc.nat({ max: 500 }) }),
  fc.record({ kind: fc.constant('duplicate later' as const), afterMs: fc.nat({ max: 2_000 }) }),
  fc.record({ kind: fc.constant('hang' as const), executeAfterMs: fc.nat({ max: 40_000 }) }),
);

const ATOMIC = ['addPartitionsToTxn', 'produce', 'endTxn'] as const;

/** What Kafka's rules ask of a client: repeat what was not answered; end the epoch afterwards; begin anew what was not committed. */
class CarefulClient {
  #producer: ProducerIdentity | undefined;
  #sequences: number[] = [];
  #unread = false;

  constructor(private readonly world: World) {}

  /** Writes the value to every partition, exactly once, whatever it takes. */
  async commit(value: string): Promise<void> {
    while (!(await this.#attempt(value)));
  }

  async #attempt(value: string): Promise<boolean> {
    if (this.#producer === undefined || this.#unread) await this.#newEpoch();
    const transaction = { transactionalId: 'careful', ...this.#producer! };
    const partitions = PARTITIONS.map((each) => ({ topic: TOPIC, partition: each }));
    const added = await this.#answered(() => this.world.port.addPartitionsToTxn(1, { ...transaction, partitions }), [51]);
    let isWhole = added.every((errorCode) => errorCode === 0);
    for (const each of PARTITIONS) {
      if (!isWhole) break;
      const records = batch(value, this.#producer, this.#sequences[each]!++);
      const request = { transactionalId: 'careful', timeoutMs: 1_000, partitions: [{ topic: TOPIC, partition: each, records }] };
      isWhole = (await this.#answered(() => this.world.port.produce(1, request), [19]))[0] === 0;
    }
    const [ended] = await this.#answered(async () => {
      const { errorCode } = await this.world.port.endTxn(1, { ...transaction, commit: isWhole });
      return { partitions: [{ errorCode }] };
    }, [51]);
    if (!isWhole || ended !== 0) this.#unread = true;
    return isWhole && ended === 0;
  }

  async #newEpoch(): Promise<void> {
    const current = this.#producer;
    const request = { transactionalId: 'careful', transactionTimeoutMs: 600_000 };
    for (;;) {
      const answer = await this.world.port.initProducerId(1, current === undefined ? request : { ...request, current });
      if (answer.errorCode === 51) continue;
      expect(answer.errorCode).toBe(0);
      this.#producer = { producerId: answer.producerId, producerEpoch: answer.producerEpoch };
      this.#sequences = PARTITIONS.map(() => 0);
      this.#unread = false;
      return;
    }
  }

  /** The codes of the answer, after as many repeats as it needs. */
  async #answered(ask: () => Promise<{ partitions: readonly { errorCode: number }[] }>, again: number[]): Promise<number[]> {
    for (;;) {
      try {
        const codes = (await ask()).partitions.map(({ errorCode }) => errorCode);
        if (!codes.some((code) => again.includes(code))) return codes;
      } catch {
        this.#unread = true;
      }
      await this.world.pause(1);
    }
  }
}

describe('the memory broker', () => {
  it('shows at every moment what a naive list of transactions shows', async () => {
    await fc.assert(
      fc.asyncProperty(fc.integer(), fc.array(step, { minLength: 5, maxLength: 25 }), (seed, steps) => new Comparison(seed).run(steps)),
      { numRuns: RUNS },
    );
  }, 60_000);

  it('C1 lets a careful client write exactly once, whatever happens to its requests', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.integer(),
        fc.array(fc.record({ api: fc.constantFrom(...ATOMIC), after: fc.nat({ max: 4 }), action }), { maxLength: 12 }),
        async (seed, faults) => {
          const world = new World(seed);
          let turn = 0;
          const next = (): void => {
            const fault = faults[turn++];
            if (fault === undefined) return;
            let { after } = fault;
            world.broker.faults.add({ match: ({ api }) => api === fault.api && after-- === 0 && (next(), true), action: fault.action });
          };
          next();
          const client = new CarefulClient(world);
          const values = Array.from({ length: 8 }, (_, i) => `v${String(i)}`);
          for (const value of values) await client.commit(value);
          await world.pause(60_000);
          for (const each of PARTITIONS) {
            expect((await world.read(each, true)).map(([, value]) => value)).toEqual(values);
          }
        },
      ),
      { numRuns: RUNS },
    );
  }, 60_000);
});
