import { Turns } from '../../src/commit/turns';

const soon = async (): Promise<void> => {
  for (let turn = 0; turn < 5; turn++) await Promise.resolve();
};

describe('turns', () => {
  let turns: Turns;
  let begun: string[];

  beforeEach(() => {
    turns = new Turns(2);
    begun = [];
  });

  const take = async (name: string, cancelled?: AbortSignal): Promise<() => void> => {
    const done = await turns.take(cancelled);
    begun.push(name);
    return done;
  };

  it('are as many as there may be at once, in the order of asking', async () => {
    const [a] = [take('a'), take('b'), take('c'), take('d')];
    await soon();
    expect(begun).toEqual(['a', 'b']);
    (await a)();
    await soon();
    expect(begun).toEqual(['a', 'b', 'c']);
  });

  it('end once, however often that is said', async () => {
    const a = await take('a');
    void take('b');
    void take('c');
    void take('d');
    a();
    a();
    await soon();
    expect(begun).toEqual(['a', 'b', 'c']);
  });

  it('are given up at once when they are cancelled, and take nobody else’s', async () => {
    const a = await take('a');
    await take('b');
    const cancel = new AbortController();
    const given = take('cancelled', cancel.signal);
    void take('d');
    cancel.abort();
    (await given)();
    await soon();
    expect(begun).toEqual(['a', 'b', 'cancelled']);
    a();
    await soon();
    expect(begun).toEqual(['a', 'b', 'cancelled', 'd']);
  });

  it('that were cancelled before are none, and those that are cancelled after they began end as others do', async () => {
    const cancel = new AbortController();
    const a = await take('a', cancel.signal);
    cancel.abort();
    (await take('never', cancel.signal))();
    await take('b');
    void take('c');
    await soon();
    expect(begun).toEqual(['a', 'never', 'b']);
    a();
    await soon();
    expect(begun).toEqual(['a', 'never', 'b', 'c']);
  });
});
