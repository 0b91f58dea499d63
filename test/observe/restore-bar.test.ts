import { PassThrough } from 'node:stream';
import { Subject } from 'rxjs';
import { restoreBar } from '../../src';
import type { RestoreProgress } from '../../src/model/restore-progress';

/** A terminal that keeps what was drawn on it. */
function terminal(isTTY = true): { readonly stream: NodeJS.WritableStream; readonly drawn: () => string } {
  let drawn = '';
  const stream = Object.assign(new PassThrough(), { isTTY, columns: 120, rows: 40 });
  stream.on('data', (bytes: Buffer) => (drawn += bytes.toString()));
  return { stream, drawn: () => drawn };
}

function at(records: number, left: number, done = false, task: number | undefined = 2): RestoreProgress {
  const soFar = { records, left, rate: 310_400, remaining: left === 0 ? 0 : 65_000, done };
  return { ...(task !== undefined && { task }), store: 'balances', topic: 'app-balances-changelog', ...soFar, ofTask: soFar };
}

describe('restoreBar', () => {
  it('draws a bar with name, share, rate and time for each store, and takes it away when it is done', () => {
    const { stream, drawn } = terminal();
    const restores$ = new Subject<RestoreProgress>();
    const listeners = process.listenerCount('SIGINT');
    const subscription = restoreBar(restores$, stream);
    restores$.next(at(0, 1_000));
    restores$.next(at(500, 500));
    // Removing one draws what is there.
    restores$.next(at(0, 7, false, 3));
    restores$.next(at(7, 0, true, 3));
    expect(drawn()).toMatch(/2 balances +█{15}░{15} 50 % {3}310k\/s {2}1:05/);
    expect(drawn()).not.toContain('3 balances');
    expect(process.listenerCount('SIGINT')).toBe(listeners);
    restores$.next(at(1_000, 0, true));
    restores$.complete();
    expect(subscription.closed).toBe(true);
  });

  it('shows the cursor again when nobody wants bars any more, in the middle too', () => {
    const { stream, drawn } = terminal();
    const restores$ = new Subject<RestoreProgress>();
    const subscription = restoreBar(restores$, stream);
    restores$.next(at(0, 1_000, false, undefined));
    subscription.unsubscribe();
    expect(drawn().lastIndexOf('\x1b[?25h')).toBeGreaterThan(drawn().lastIndexOf('\x1b[?25l'));
    expect(restores$.observed).toBe(false);
  });

  it('draws nothing on what is no terminal', () => {
    const { stream, drawn } = terminal(false);
    const restores$ = new Subject<RestoreProgress>();
    restoreBar(restores$, stream);
    restores$.next(at(0, 1_000));
    restores$.next(at(1_000, 0, true));
    restores$.complete();
    expect(drawn()).toBe('');
  });
});
