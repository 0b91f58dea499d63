import type { MillraceError } from '../../src/errors/millrace-error';
import { decodeClaim, decodeOrder, encodeClaim, encodeOrder, type MemberClaim } from '../../src/kafka/group-protocol';

const claim: MemberClaim = {
  instance: 'f3a9c1d2e4b5',
  nonce: '1763745236000-0.123456789',
  owned: [0, 3, 7],
  generation: 12,
  transactionalId: 'app-f3a9c1d2e4b5-0',
  taskCount: 1_000,
  plan: 'a1b2c3d4',
  held: [
    { task: 0, position: 0, following: false },
    { task: 3, position: 2 ** 53 - 1, following: false },
    { task: 200, position: 1_000_000, following: true },
  ],
};

const int32 = (value: number): Buffer => {
  const bytes = Buffer.alloc(4);
  bytes.writeInt32BE(value);
  return bytes;
};

/** Version 0 of Kafka's subscription, of topic "t", around user data. */
function subscription(userData: string | object): Buffer {
  const bytes = Buffer.from(typeof userData === 'string' ? userData : JSON.stringify(userData));
  return Buffer.concat([Buffer.from([0, 0]), int32(1), Buffer.from([0, 1]), Buffer.from('t'), int32(bytes.length), bytes]);
}

/** Version 0 of Kafka's assignment, without partitions. */
function assignment(userData: object): Buffer {
  const bytes = Buffer.from(JSON.stringify(userData));
  return Buffer.concat([Buffer.from([0, 0]), int32(0), int32(bytes.length), bytes]);
}

/** What the first revision did with either of them: it looks at `version`, and takes the fields it knows. */
function readByRevision1(bytes: Buffer): Record<string, unknown> {
  const start = bytes.indexOf('{');
  const read = JSON.parse(bytes.subarray(start).toString('utf8')) as Record<string, unknown>;
  if (read['version'] !== 1) throw new Error(`version ${String(read['version'])}`);
  return read;
}

const failure = (read: () => unknown): MillraceError => {
  try {
    read();
  } catch (error) {
    return error as MillraceError;
  }
  throw new Error('it was read');
};

describe('a claim', () => {
  it('is read as it was written', () => {
    expect(decodeClaim(encodeClaim(['one', 'zwei'], claim))).toEqual(claim);
  });

  it('of revision 1 says nothing of tasks, plan and disk', () => {
    const old = { version: 1, instance: 'i', nonce: '5-0.5', owned: [2], generation: 4, transactionalId: 'app-i-0' };
    const { version: _, ...known } = old;
    expect(decodeClaim(subscription(old))).toEqual(known);
  });

  it('is understood by a leader of revision 1', () => {
    const { instance, nonce, owned, generation, transactionalId } = claim;
    expect(readByRevision1(encodeClaim(['t'], claim))).toMatchObject({ instance, nonce, owned, generation, transactionalId });
  });

  it('of a later revision is read with what this one knows', () => {
    const later = { version: 1, revision: 9, instance: 'i', nonce: 'n', owned: [], generation: 1, transactionalId: 'x', colour: 'blue' };
    expect(decodeClaim(subscription(later))).toMatchObject({ instance: 'i', owned: [] });
  });

  it('of a later version is refused: the message names both versions', () => {
    const { code, message } = failure(() => decodeClaim(subscription({ version: 3 })));
    expect(code).toBe('PROTOCOL');
    expect(message).toContain('version 3');
    expect(message).toContain('version 1');
  });

  it.each([
    ['no JSON', 'range assignor'],
    ['no object', '7'],
    ['without a version', '{}'],
    ['without tasks', '{"version":1}'],
    ['with tasks that are none', '{"version":1,"owned":[-1]}'],
    ['with a list that is cut off', '{"version":1,"owned":[],"held":"Ag=="}'],
  ])('that is %s is refused', (_, userData) => {
    expect(failure(() => decodeClaim(subscription(userData))).code).toBe('PROTOCOL');
  });

  it('of 1,000 tasks, owned and held at positions of ten digits, has less than 13,000 bytes', () => {
    const tasks = Array.from({ length: 1_000 }, (_, task) => task);
    const held = tasks.map((task) => ({ task, position: 1_234_567_890 + task, following: task % 2 === 0 }));
    const bytes = encodeClaim(['t'], { ...claim, owned: tasks, held });
    expect(bytes.length).toBeLessThan(13_000);
    expect(decodeClaim(bytes).held).toEqual(held);
  });
});

describe('an order', () => {
  const order = { tasks: [1, 2], standby: [3], warmup: [4], rejoinAfterMs: 600_000, duplicateOf: '5-0.5' };

  it('is read as it was written', () => {
    expect(decodeOrder(encodeOrder([{ topic: 't', partition: 1 }], order))).toEqual(order);
  });

  it('of a leader of revision 1 says nothing of standbys', () => {
    expect(decodeOrder(assignment({ version: 1, tasks: [1] }))).toEqual({ tasks: [1] });
  });

  it('is understood by a member of revision 1', () => {
    expect(readByRevision1(encodeOrder([], order))).toMatchObject({ tasks: [1, 2] });
  });

  it('that is empty, as for a member that came too late, has no tasks', () => {
    expect(decodeOrder(new Uint8Array())).toEqual({ tasks: [] });
  });

  it('of a later version is refused', () => {
    expect(failure(() => decodeOrder(assignment({ version: 2, tasks: [] }))).message).toContain('version 2');
  });
});
