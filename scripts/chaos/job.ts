import { merge, share, tap } from 'rxjs';
import { countWithStore, joinStream, to, windowTumbling } from '../../operators';
import { int64, string } from '../../src/codec/primitives';
import { internalTopic, topic } from '../../src/codec/topic';
import { keyValueStore, windowStore } from '../../src/state/definition';
import { joinStore } from '../../src/state/join-definition';
import type { Topology } from '../../src/task/topology';
import {
  JOIN_GRACE_MS,
  JOIN_MS,
  letterOf,
  pairOf,
  repartitionNames,
  storeNames,
  topicsOf,
  WINDOW_GRACE_MS,
  WINDOW_MS,
  wordOf,
} from './topics';

const texts = { key: string, value: string };

/**
 * Counts of words by window behind a repartition, counts by letter behind another one behind that, and a join of two streams whose left
 * records come out alone when nobody has come.
 *
 * @param pushed called as each event is pushed
 */
export function chaosJob(application: string, pushed: () => void): Topology {
  const names = topicsOf(application);
  const windows = { size: WINDOW_MS, grace: WINDOW_GRACE_MS };
  const perWindow = windowStore(storeNames.perWindow, { key: string, value: int64, windows });
  const perLetter = keyValueStore(storeNames.perLetter, { key: string, value: int64 });
  const meetings = joinStore(storeNames.meetings, {
    ...{ key: string, left: string, right: string },
    windows: { before: JOIN_MS, after: JOIN_MS, grace: JOIN_GRACE_MS },
  });
  const windowCounts = topic(names.windowCounts, perWindow.output);
  const letterCounts = topic(names.letterCounts, perLetter.output);
  const pairs = topic(names.pairs, texts);
  const byWord = internalTopic(repartitionNames.byWord, texts);
  const byLetter = internalTopic(repartitionNames.byLetter, texts);
  const [events, left, right] = [topic(names.events, texts), topic(names.left, texts), topic(names.right, texts)];

  return ({ stream, store, repartition }) => {
    const words = stream(events).pipe(tap(pushed), repartition(byWord, wordOf), share());
    return merge(
      words.pipe(windowTumbling(windows), countWithStore(store(perWindow)), to(windowCounts)),
      words.pipe(repartition(byLetter, letterOf), countWithStore(store(perLetter)), to(letterCounts)),
      stream(left).pipe(joinStream(stream(right), store(meetings), pairOf, { kind: 'left' }), to(pairs)),
    );
  };
}
