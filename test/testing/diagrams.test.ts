import { map, of, throwError } from 'rxjs';
import { TestScheduler, type RunHelpers } from 'rxjs/testing';
import { countWithStore, to, windowTumbling } from '../../operators';
import { int64, string } from '../../src/codec/primitives';
import { topic } from '../../src/codec/topic';
import { seconds } from '../../src/model/duration';
import { windowStore } from '../../src/state/definition';
import { assertRecords, diagram, marbleAssert, memoryStore, outgoing, record, records } from '../../src/testing';
import { errorWith } from '../operators/errors';
import { results } from './programs';

/** What a wrong assertion says. */
function failureOf(assertion: () => void): string {
  try {
    assertion();
  } catch (error) {
    return (error as Error).message;
  }
  throw new Error('the assertion holds');
}

const run = (diagrams: (helpers: RunHelpers) => void) => new TestScheduler(marbleAssert).run(diagrams);
const lines = (...all: string[]) => all.join('\n');

describe('records', () => {
  it('have a key and an event time each', () => {
    expect(records('ada1 bob5 ada7')).toEqual([record('ada', '', 1), record('bob', '', 5), record('ada', '', 7)]);
  });

  it('take a text behind =, as it stands or as the function makes of it', () => {
    expect(records('a1=x b2=7')).toEqual([record('a', 'x', 1), record('b', '7', 2)]);
    expect(records('a1=2 b2=7', ({ text }) => Number(text))).toEqual([record('a', 2, 1), record('b', 7, 2)]);
    expect(records('a1', ({ key, timestamp }) => ({ key, timestamp }))).toEqual([record('a', { key: 'a', timestamp: 1 }, 1)]);
  });

  it('count event time in the unit that is stated', () => {
    expect(records('a1 b70', () => 0, { unit: seconds(1) }).map(({ timestamp }) => timestamp)).toEqual([1_000, 70_000]);
  });

  it('may be read from a diagram', () => {
    expect(records('--a1---b2').map(({ key }) => key)).toEqual(['a', 'b']);
  });

  it.each([
    ['a1 1b', 'column 3: "1"'],
    ['a1 b', 'column 3: "b"'],
    ['a1|', 'column 2: "|"'],
    ['a-1', 'column 0: "a"'],
  ])('cannot be read from %s', (text, message) => {
    expect(() => records(text)).toThrow(errorWith({ code: 'CONFIG', message }));
  });
});

describe('diagram', () => {
  it('is one of RxJS, with a column a frame however long a marble is', () => {
    const [marbles, values] = diagram('--a1---a40-b2=x|');
    expect(marbles).toBe('--a----b---c---|');
    expect(values).toEqual({ a: record('a', '', 1), b: record('a', '', 40), c: record('b', 'x', 2) });
  });

  it('keeps its columns behind a group', () => {
    expect(diagram('-(a1b2)-c3|')[0]).toBe('-(ab)---c-|');
  });

  it('gives equal marbles one symbol', () => {
    expect(diagram('a1-a1-b1')[0]).toBe('a--a--b-');
  });

  it('leaves to RxJS what is its own', () => {
    expect(diagram('^-a1 10ms (b2#)!')[0]).toBe('^-a- 10ms (b#)-!');
    expect(() => diagram('a1-?')).toThrow(errorWith({ code: 'CONFIG', message: 'column 3: "?"' }));
    expect(() => diagram('a1-5')).toThrow(errorWith({ code: 'CONFIG', message: 'column 3: "5"' }));
  });

  it('has symbols for more marbles than there are letters', () => {
    const text = Array.from({ length: 60 }, (_, i) => `a${String(i)}`).join('-');
    expect(Object.keys(diagram(text)[1])).toHaveLength(60);
  });

  it('reads as in the documentation', () => {
    const fives = windowStore('fives', { key: string, value: int64, windows: { size: 5 } });
    run(({ cold, expectObservable }) => {
      const views = '  --a1---a4---a6--|';
      const closed = ' ------------w---|';
      const counted = cold(...diagram(views)).pipe(windowTumbling({ size: 5 }), countWithStore(memoryStore(fives), { emit: 'close' }));
      expectObservable(counted.pipe(map(({ key, value }) => `${String(key.start)}: ${String(value)}`))).toBe(closed, { w: '0: 2' });
    });
  });
});

describe('marbleAssert', () => {
  const values = { x: record('u', 1, 1), y: record('u', 2, 2), z: record('u', 3, 2) };

  it('holds for equal diagrams', () => {
    expect(() => run(({ cold, expectObservable }) => expectObservable(cold('-x-y|', values)).toBe('-x-y|', values))).not.toThrow();
  });

  it('takes the key of a window as a test writes it down', () => {
    run(({ cold, expectObservable }) => {
      const fives = windowStore('fives', { key: string, value: int64, windows: { size: 5 } });
      const counted = cold('-x|', { x: record('u', 1, 1) }).pipe(windowTumbling({ size: 5 }), countWithStore(memoryStore(fives)));
      expectObservable(counted).toBe('-x|', { x: record({ key: 'u', start: 0, end: 5 }, 1, 1) });
    });
  });

  it.each([
    [new Map([['a', 1]]), new Map([['a', 2]])],
    [new Error('a'), new Error('b')],
    [new Date(1), new Date(2)],
    [
      [1, 2],
      [1, 3],
    ],
    [{ a: 1 }, { a: 1, b: undefined }],
    [
      { key: 'a', start: 0, end: 5 },
      { key: 'a', start: 0, end: 6 },
    ],
    [[], {}],
  ])('sees that %o is not %o', (a, b) => {
    expect(() => marbleAssert([record('k', a, 1)], [record('k', b, 1)])).toThrow('differ');
    expect(() => assertRecords([record('k', a, 1)], [record('k', b, 1)])).toThrow('differ');
    expect(() => marbleAssert([record('k', a, 1)], [record('k', a, 1)])).not.toThrow();
  });

  it('compares outputs, wherever they come from', () => {
    run(({ cold, expectObservable }) => {
      const counted = cold('-x|', { x: record('u', 1, 1, { trace: 'abc' }) }).pipe(to(results));
      expectObservable(counted).toBe('-x|', { x: outgoing(results, 'u', 1, 1) });
    });
  });

  it('shows two aligned diagrams, the values and the first difference in words', () => {
    const message = failureOf(() =>
      run(({ cold, expectObservable }) => expectObservable(cold('-x---z-|', values)).toBe('-x---y-|', values)),
    );
    expect(message).toBe(
      lines(
        'The diagrams differ at frame 5: b ("u": 2 @2) is expected, and c ("u": 3 @2) came: value is 3 instead of 2.',
        '',
        '  expected  -a---b-|',
        '  actual    -a---c-|',
        '  frame      1   5 7',
        '',
        '  a = "u": 1 @1',
        '  b = "u": 2 @2',
        '  c = "u": 3 @2',
      ),
    );
  });

  it.each([
    ['-x---|', '-x-y-|', 'at frame 3: b ("u": 2 @2) is expected, and nothing came before frame 5'],
    ['-x-y-|', '-x---|', 'at frame 3: b ("u": 2 @2) came, and nothing is expected before frame 5'],
    ['-x----', '-x-y--', 'at frame 3: b ("u": 2 @2) is expected, and nothing more came'],
    ['-x-y--', '-x----', 'at frame 3: b ("u": 2 @2) came, and nothing more is expected'],
    ['-x---y', '-x-y--', 'at frame 3: b ("u": 2 @2) is expected at frame 3 and came at 5, 2 later'],
    ['-x-y--', '-x---y', 'at frame 3: b ("u": 2 @2) is expected at frame 5 and came at 3, 2 earlier'],
    ['-x-#  ', '-x-|  ', "at frame 3: | (completion) is expected, and # (the error 'error') came"],
  ])('says of %s instead of %s what differs first', (came, wanted, said) => {
    const message = failureOf(() => run(({ cold, expectObservable }) => expectObservable(cold(came, values)).toBe(wanted, values)));
    expect(message.replace('"error"', "'error'").split('\n')[0]).toBe(`The diagrams differ ${said}.`);
  });

  it('keeps groups and long silences aligned', () => {
    const message = failureOf(() =>
      run(({ cold, expectObservable }) => expectObservable(cold('-x 99ms (yz|)', values)).toBe('-x 99ms (yy|)', values)),
    );
    expect(message).toContain(lines('  expected  -a 99ms (bb|)', '  actual    -a 99ms (bc|)', '  frame      1      101'));
  });

  it('shows errors by what they are', () => {
    const message = failureOf(() =>
      run(({ expectObservable }) => expectObservable(throwError(() => new Error('no'))).toBe('(x|)', values)),
    );
    expect(message).toContain('# (the error ');
    expect(message).toContain('no');
  });

  it('names the property that differs, however deep', () => {
    const message = failureOf(() =>
      run(({ expectObservable }) => expectObservable(of({ list: [{ n: 1 }] })).toBe('(x|)', { x: { list: [{ n: 2 }] } })),
    );
    expect(message).toContain('came: list[0].n is 1 instead of 2.');
  });

  it('finds out a forgotten to()', () => {
    const message = failureOf(() =>
      run(({ cold, expectObservable }) =>
        expectObservable(cold('x', { x: record('u', 1, 1) })).toBe('x', { x: outgoing(results, 'u', 1, 1) }),
      ),
    );
    expect(message).toContain('it is a KafkaRecord instead of an Outgoing (is a to() missing?)');
  });

  it('draws subscriptions', () => {
    const message = failureOf(() =>
      run(({ cold, expectObservable, expectSubscriptions }) => {
        const source = cold('-x----|', values);
        expectObservable(source).toBe('-x----|', values);
        expectSubscriptions(source.subscriptions).toBe('^---!');
      }),
    );
    expect(message).toBe(
      lines('The subscriptions differ: it ends at frame 6 instead of at frame 4.', '', '  expected  ^---!--', '  actual    ^-----!'),
    );
  });

  it('counts subscriptions', () => {
    const message = failureOf(() =>
      run(({ cold, expectSubscriptions }) => expectSubscriptions(cold('-x').subscriptions).toBe(['^-!', '--^'])),
    );
    expect(message).toBe(
      lines('The subscriptions differ: there are 0 instead of 2.', '', '  expected  ^-!', '  expected  --^', '  actual    none'),
    );
  });

  it('compares anything else, too', () => {
    expect(() => marbleAssert({ a: 1 }, { a: 1 })).not.toThrow();
    expect(failureOf(() => marbleAssert({ a: 1 }, { a: 1, b: 2 }))).toContain('They differ: b is missing; it should be 2.');
    expect(failureOf(() => marbleAssert({ a: 1, b: 2 }, { a: 1 }))).toContain('They differ: b is 2, which is not expected.');
    expect(failureOf(() => marbleAssert(new Map([['a', 1]]), new Map([['a', 2]])))).toContain("Map(1) { 'a' => 1 } instead of");
  });
});

describe('assertRecords', () => {
  const counts = (...values: number[]) => values.map((value, i) => outgoing(results, 'a', value, i));

  it('holds for equal lists', () => {
    expect(() => assertRecords(counts(1, 2), counts(1, 2))).not.toThrow();
    expect(() => assertRecords([], [])).not.toThrow();
  });

  it('shows both lists side by side, with the first difference in words', () => {
    expect(failureOf(() => assertRecords(counts(1, 3, 3), counts(1, 2)))).toBe(
      lines(
        'The records differ at position 1: value is 3 instead of 2.',
        '',
        '      expected           actual',
        '  0   results "a": 1 @0  results "a": 1 @0',
        '> 1   results "a": 2 @1  results "a": 3 @1',
        '  2   (none)             results "a": 3 @2',
        '',
        '  2 expected, 3 came',
      ),
    );
  });

  it('sees one that is too many, a double, or one too few', () => {
    expect(failureOf(() => assertRecords([...counts(1), ...counts(1)], counts(1)))).toContain(
      'position 1: results "a": 1 @0 came, and nothing more',
    );
    expect(failureOf(() => assertRecords(counts(1), counts(1, 2)))).toContain(
      'position 1: results "a": 2 @1 is expected, and nothing more came',
    );
  });

  it('sees another topic of the same contents', () => {
    const others = topic('others', results);
    expect(failureOf(() => assertRecords(counts(1), [outgoing(others, 'a', 1, 0)]))).toContain('topic is "results" instead of "others"');
  });

  it('shows only what is around the first difference of long lists', () => {
    const many = Array.from({ length: 100 }, (_, i) => i);
    const message = failureOf(() => assertRecords(counts(...many), counts(...many.with(50, -1))));
    expect(message.split('\n')).toHaveLength(3 + 11 + 2);
    expect(message).toContain('> 50');
  });
});
