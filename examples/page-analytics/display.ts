import { MultiBar, type SingleBar } from 'cli-progress';
import type { Ranking, Scoreboard } from './scoreboard';

/** Shows a run while it goes on. */
export interface Display {
  show(board: Scoreboard): void;
  /** Shows the end, and leaves it on the screen. */
  end(board: Scoreboard): void;
}

/** In place on a terminal, line by line elsewhere. */
export function displayOn(out: NodeJS.WriteStream): Display {
  return out.isTTY ? new LiveTopTen(out) : new PlainLines(out);
}

const RANKS = 10;

/** The top ten, each with a bar in proportion to the first, above the progress of the whole. */
class LiveTopTen implements Display {
  private readonly bars: MultiBar;
  private readonly heading: SingleBar;
  private readonly ranks: readonly SingleBar[];
  private readonly progress: SingleBar;

  constructor(out: NodeJS.WriteStream) {
    const [barCompleteChar, barIncompleteChar] = ['█', '░'];
    this.bars = new MultiBar({ stream: out, hideCursor: true, barsize: 30, barCompleteChar, barIncompleteChar, emptyOnZero: true });
    this.heading = this.bars.create(1, 0, { minute: '--:--' }, { format: 'top pages of {minute}' });
    const rank = { format: '{page} {views} {bar}', barIncompleteChar: ' ' };
    this.ranks = Array.from({ length: RANKS }, () => this.bars.create(1, 0, { page: ''.padEnd(PAGE_WIDTH), views: '' }, rank));
    this.progress = this.bars.create(1, 0, { views: '' }, { format: '{bar} {views}' });
  }

  show(board: Scoreboard): void {
    this.draw(board, board.settled);
  }

  end(board: Scoreboard): void {
    this.draw(board, board.newest);
    this.bars.stop();
  }

  private draw(board: Scoreboard, ranking: Ranking | undefined): void {
    this.progress.setTotal(board.total ?? Math.max(1, board.views));
    this.progress.update(board.views, { views: viewsSoFar(board) });
    if (ranking === undefined) return;
    this.heading.update({ minute: clock(ranking.minute) });
    this.ranks.forEach((bar, rank) => {
      const { page, views } = ranking.top[rank] ?? { page: '', views: 0 };
      bar.setTotal(ranking.top[0]?.views ?? 1);
      bar.update(views, { page: page.padEnd(PAGE_WIDTH), views: String(views).padStart(6) });
    });
  }
}

const PAGE_WIDTH = 15;

/** One line each time another 5 % are done; without an end, one a minute of event time. */
class PlainLines implements Display {
  private step = 0;

  constructor(private readonly out: NodeJS.WriteStream) {}

  show(board: Scoreboard): void {
    const { settled, total, views } = board;
    if (settled === undefined) return;
    const step = total === undefined ? settled.minute : Math.floor((20 * views) / total);
    if (step === this.step) return;
    this.step = step;
    this.write(board, settled);
  }

  end(board: Scoreboard): void {
    if (board.newest !== undefined) this.write(board, board.newest);
  }

  private write(board: Scoreboard, { minute, top }: Ranking): void {
    const leaders = top.slice(0, 3).map(({ page, views }) => `${page} ${views}`);
    this.out.write(`${viewsSoFar(board)}; top pages of ${clock(minute)}: ${leaders.join(', ')}\n`);
  }
}

function viewsSoFar({ views, total }: Scoreboard): string {
  return `${views}${total === undefined ? '' : ` of ${total}`} page views`;
}

function clock(minute: number): string {
  return new Date(minute).toISOString().slice(11, 16);
}
