import { DepartedProducers } from '../../src/kafka/departed-producers';
import type { NodeId, ProducerIdentity } from '../../src/kafka/port';
import { rememberersOf } from '../../src/kafka/rememberers';
import type { Logger } from '../../src/model/logger';
import { GROUP, Simulated } from './simulated';

const GONE = 'app-gone-0';
const HERE = 'app-here-0';

let simulated: Simulated;
let departed: DepartedProducers;
let node: NodeId;
let warnings: string[];
let ended: number;

beforeEach(async () => {
  simulated = new Simulated();
  simulated.broker.createTopic('output', 1);
  warnings = [];
  ended = 0;
  const quiet = (): void => undefined;
  const logger: Logger = { debug: quiet, error: quiet, info: () => void ended++, warn: (_, message) => void warnings.push(message) };
  const { port, view, clock } = simulated;
  departed = new DepartedProducers({ port, view, clock, logger, groupId: GROUP });
  node = await simulated.coordinator('transaction', GONE);
});

afterEach(() => {
  simulated.broker.close();
});

/** A holder of the id with something open. */
async function open(): Promise<ProducerIdentity> {
  const request = { transactionalId: GONE, transactionTimeoutMs: 60_000 };
  let answer = await simulated.settle(simulated.other('gone').initProducerId(node, request));
  while (answer.errorCode === 51) answer = await simulated.settle(simulated.other('gone').initProducerId(node, request));
  const { producerId, producerEpoch } = answer;
  const partitions = [{ topic: 'output', partition: 0 }];
  const add = { transactionalId: GONE, producerId, producerEpoch, partitions };
  await simulated.settle(simulated.other('gone').addPartitionsToTxn(node, add));
  expect(stateOf()).toBe('ongoing');
  return { producerId, producerEpoch };
}

const stateOf = (): string | undefined => simulated.broker.transactions().find(({ transactionalId }) => transactionalId === GONE)?.state;
const claim = (transactionalId: string, ...producers: string[]): { transactionalId: string; producers: string[] } => ({
  transactionalId,
  producers,
});

describe('what the group remembers of transactional ids', () => {
  it('is who lives, and who has gone and is not settled', async () => {
    await open();
    expect(departed.lead([claim(GONE), claim(HERE)])).toEqual([GONE, HERE]);
    departed.remember([GONE, HERE]);
    expect(departed.lead([claim(HERE)])).toEqual([HERE, GONE]);
    await simulated.until(() => ended === 1);
    expect(departed.remembered).toEqual([HERE]);
    expect(departed.lead([claim(HERE)])).toEqual([HERE]);
  });

  it('a leader that has never led learns from the claims of others', async () => {
    await open();
    expect(departed.lead([claim(HERE, GONE, HERE)])).toEqual([HERE, GONE]);
    await simulated.until(() => ended === 1);
    expect(stateOf()).toBe('aborted');
  });

  it('an id that has come back is remembered again, and ended again when it goes', async () => {
    await open();
    departed.lead([claim(HERE, GONE)]);
    await simulated.until(() => ended === 1);
    expect(departed.lead([claim(HERE), claim(GONE)])).toEqual([HERE, GONE]);
    departed.remember([HERE, GONE]);
    await open();
    departed.lead([claim(HERE)]);
    await simulated.until(() => ended === 2);
    expect(stateOf()).toBe('aborted');
  });

  it('no living member is ever asked for, whoever remembers it', async () => {
    await open();
    departed.lead([claim(HERE, GONE), claim(GONE)]);
    await simulated.clock.advance(5_000);
    expect([simulated.count('describeTransactions'), stateOf()]).toEqual([0, 'ongoing']);
  });
});

describe('ending what a departed member left open', () => {
  it('does nothing when nothing is open, or the id is unknown', async () => {
    departed.lead([claim(HERE, 'app-never-0')]);
    await simulated.clock.advance(5_000);
    expect([simulated.count('describeTransactions'), simulated.count('initProducerId'), warnings]).toEqual([1, 0, []]);
  });

  it('leaves alone a process that has just started with this id, whatever was described before', async () => {
    await open();
    simulated.broker.faults.add({
      match: ({ api, clientId }) => api === 'initProducerId' && clientId === 'client',
      action: { kind: 'delay', ms: 300 },
    });
    departed.lead([claim(HERE, GONE)]);
    await simulated.until(() => simulated.count('initProducerId') > 1);
    const restarted = simulated.other('restarted');
    const request = { transactionalId: GONE, transactionTimeoutMs: 60_000 };
    let answer = await simulated.settle(restarted.initProducerId(node, request));
    while (answer.errorCode === 51) answer = await simulated.settle(restarted.initProducerId(node, request));
    await simulated.clock.advance(2_000);
    const { producerId, producerEpoch } = answer;
    const partitions = [{ topic: 'output', partition: 0 }];
    const added = await simulated.settle(
      restarted.addPartitionsToTxn(node, { transactionalId: GONE, producerId, producerEpoch, partitions }),
    );
    expect(added.partitions.map(({ errorCode }) => errorCode)).toEqual([0]);
    expect(warnings).toEqual([]);
  });

  it.each(['describeTransactions', 'initProducerId'] as const)(
    'is repeated when the answer to %s is lost, and when the coordinator moves',
    async (api) => {
      await open();
      simulated.loseAnswer(api);
      simulated.answer(api, 16);
      simulated.answer(api, 14);
      departed.lead([claim(HERE, GONE)]);
      await simulated.until(() => ended === 1);
      expect([stateOf(), warnings]).toEqual(['aborted', []]);
    },
  );

  it('ends with the next join, and goes on if it leads again', async () => {
    await open();
    simulated.broker.faults.add({ match: ({ api }) => api === 'describeTransactions', action: { kind: 'delay', ms: 500 } });
    departed.lead([claim(HERE, GONE)]);
    departed.remember([HERE, GONE]);
    await simulated.until(() => simulated.count('describeTransactions') === 1);
    departed.pause();
    await simulated.clock.advance(5_000);
    expect([stateOf(), warnings]).toEqual(['ongoing', []]);
    expect(departed.lead([claim(HERE, ...departed.remembered)])).toEqual([HERE, GONE]);
    await simulated.until(() => ended === 1);
  });

  it('gives up after its budget with one warning, and stays on the list', async () => {
    await open();
    simulated.broker.faults.add({ match: ({ api }) => api === 'describeTransactions', action: { kind: 'fail before' }, times: Infinity });
    departed.lead([claim(HERE, GONE, 'app-gone-1')]);
    await simulated.until(() => warnings.length > 0);
    await simulated.clock.advance(120_000);
    expect(warnings).toHaveLength(1);
    expect(simulated.count('describeTransactions')).toBeLessThan(200);
    expect(departed.lead([claim(HERE, GONE)])).toEqual([HERE, GONE]);
  });
});

describe('who remembers', () => {
  const member = (memberId: string, instance: string): { memberId: string; instance: string } => ({ memberId, instance });

  it('is the leader and two more, of other instances as far as there are', () => {
    const members = [member('a', 'x'), member('b', 'x'), member('c', 'y'), member('d', 'y'), member('e', 'z')];
    expect([...rememberersOf(members, 'd')].sort()).toEqual(['a', 'd', 'e']);
    expect([...rememberersOf(members.slice(0, 3), 'b')].sort()).toEqual(['a', 'b', 'c']);
    expect([...rememberersOf(members.slice(0, 1), 'a')]).toEqual(['a']);
  });
});
