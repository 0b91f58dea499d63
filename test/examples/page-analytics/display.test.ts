import { once } from 'node:events';
import { PassThrough } from 'node:stream';
import { displayOn } from '../../../examples/page-analytics/display';
import { Scoreboard } from '../../../examples/page-analytics/scoreboard';

const MINUTE = 60_000;
const elevenLinesUp = '\u001b[11A';
const top = (...views: number[]) => views.map((count, i) => ({ page: `/p${i}`, views: count }));

function screen(isTTY: boolean) {
  const out = Object.assign(new PassThrough({ encoding: 'utf8' }), { isTTY, columns: 100, rows: 40 });
  return { out: out as unknown as NodeJS.WriteStream, text: () => (out.read() ?? '') as string };
}

describe('the scoreboard', () => {
  it('takes a minute as settled when a newer one has come, in whatever order they come', () => {
    const board = new Scoreboard(100);
    expect(board.settled).toBeUndefined();
    board.ranked({ minute: 2 * MINUTE, top: top(3) });
    expect(board.settled).toBeUndefined();
    board.ranked({ minute: MINUTE, top: top(2) });
    expect([board.settled?.minute, board.newest?.minute]).toEqual([MINUTE, 2 * MINUTE]);
    board.ranked({ minute: 0, top: top(9) });
    board.ranked({ minute: MINUTE, top: top(4) });
    expect(board.settled).toEqual({ minute: MINUTE, top: top(4) });
  });
});

describe('the display', () => {
  it('writes one line each time another 5 % are done when there is no terminal', () => {
    const { out, text } = screen(false);
    const display = displayOn(out);
    const board = new Scoreboard(100);
    board.ranked({ minute: 0, top: top(4, 3, 2, 1) });
    board.ranked({ minute: MINUTE, top: top(1) });
    for (let i = 0; i < 12; i++) {
      board.viewed(1);
      display.show(board);
    }
    expect(text()).toBe(
      '5 of 100 page views; top pages of 00:00: /p0 4, /p1 3, /p2 2\n10 of 100 page views; top pages of 00:00: /p0 4, /p1 3, /p2 2\n',
    );
    display.end(board);
    expect(text()).toBe('12 of 100 page views; top pages of 00:01: /p0 1\n');
  });

  it('writes one line for each minute when there is no end', () => {
    const { out, text } = screen(false);
    const display = displayOn(out);
    const board = new Scoreboard(undefined);
    for (let minute = 1; minute <= 3; minute++) {
      board.ranked({ minute: minute * MINUTE, top: top(minute) });
      display.show(board);
      display.show(board);
    }
    expect(text()).toBe('0 page views; top pages of 00:01: /p0 1\n0 page views; top pages of 00:02: /p0 2\n');
  });

  it('draws the top ten and a progress bar in place on a terminal', async () => {
    const { out, text } = screen(true);
    const display = displayOn(out);
    const board = new Scoreboard(200);
    board.ranked({ minute: 0, top: top(30, 15) });
    board.ranked({ minute: MINUTE, top: top(20, 10) });
    board.viewed(100);
    display.show(board);
    let first = '';
    while (!first.includes('100 of 200')) {
      await once(out, 'readable');
      first += text();
    }
    expect(first).toContain('top pages of 00:00');
    expect(first).toMatch(/\/p0 +30 █{30}\D/);

    board.viewed(50);
    display.end(board);
    const last = text();
    expect(last).toContain(elevenLinesUp);
    expect(last).toContain('top pages of 00:01');
    expect(last).toMatch(/\/p0 +20 █{30}\D/);
    expect(last).toMatch(/\/p1 +10 █{15} /);
    expect(last).toMatch(/█{22,23}░{7,8} 150 of 200 page views/);
  });
});
