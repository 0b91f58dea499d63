import { firstDifference, inWords } from './difference';
import { drawn, Legend, type Frame } from './drawing';
import { same } from './same';

/** As `expectSubscriptions` records it. */
interface Subscribed {
  readonly subscribedFrame: number;
  readonly unsubscribedFrame: number;
}

/**
 * What RxJS's TestScheduler compares with, under any test runner: two diagrams that differ are shown under each other, with the first
 * difference in words. Values are compared deeply; records by key, value, timestamp (and topic).
 *
 * @throws Error unless both are deeply equal
 * @example
 * new TestScheduler(marbleAssert).run(({ cold, expectObservable }) => { … });
 */
export function marbleAssert(actual: unknown, expected: unknown): void {
  if (same(actual, expected)) return;
  const lines = areFrames(actual) && areFrames(expected) ? differingDiagrams(actual, expected) : differingOthers(actual, expected);
  throw new Error(lines.join('\n'));
}

function differingDiagrams(actual: readonly Frame[], expected: readonly Frame[]): string[] {
  const legend = new Legend();
  const rows = drawn({ expected, actual }, legend);
  return [`The diagrams differ ${firstDifferingFrame(actual, expected, legend)}.`, '', ...indented(rows), '', ...indented(legend.lines())];
}

function firstDifferingFrame(actual: readonly Frame[], expected: readonly Frame[], legend: Legend): string {
  const at = expected.findIndex((frame, index) => !same(frame, actual[index]));
  const [came, wanted] = at < 0 ? [actual[expected.length], undefined] : [actual[at], expected[at]];
  const say = (frame: Frame): string => `${legend.symbolOf(frame)} (${tellNotification(frame)})`;
  if (came === undefined) return wanted === undefined ? '' : `at frame ${wanted.frame}: ${say(wanted)} is expected, and nothing more came`;
  if (wanted === undefined) return `at frame ${came.frame}: ${say(came)} came, and nothing more is expected`;
  if (same(came.notification, wanted.notification)) {
    const late = came.frame - wanted.frame;
    return `at frame ${Math.min(came.frame, wanted.frame)}: ${say(wanted)} is expected at frame ${wanted.frame} and came at ${came.frame}, ${Math.abs(late)} ${late > 0 ? 'later' : 'earlier'}`;
  }
  if (came.frame < wanted.frame) return `at frame ${came.frame}: ${say(came)} came, and nothing is expected before frame ${wanted.frame}`;
  if (came.frame > wanted.frame) return `at frame ${wanted.frame}: ${say(wanted)} is expected, and nothing came before frame ${came.frame}`;
  return `at frame ${wanted.frame}: ${say(wanted)} is expected, and ${say(came)} came${why(came, wanted)}`;
}

function why(came: Frame, wanted: Frame): string {
  if (came.notification.kind !== 'N' || wanted.notification.kind !== 'N') return '';
  return `: ${firstDifference(came.notification.value, wanted.notification.value)}`;
}

function tellNotification({ notification }: Frame): string {
  if (notification.kind === 'C') return 'completion';
  return notification.kind === 'E' ? `the error ${inWords(notification.error)}` : inWords(notification.value);
}

function differingOthers(actual: unknown, expected: unknown): string[] {
  if (!areSubscriptions(actual) || !areSubscriptions(expected)) {
    return [`They differ: ${firstDifference(actual, expected)}.`, '', `  expected  ${inWords(expected)}`, `  actual    ${inWords(actual)}`];
  }
  const last = Math.max(
    0,
    ...[...actual, ...expected]
      .flatMap(({ subscribedFrame, unsubscribedFrame }) => [subscribedFrame, unsubscribedFrame])
      .filter(Number.isFinite),
  );
  const draw = (name: string, all: readonly Subscribed[]): string[] =>
    all.length === 0 ? [`${name}none`] : all.map((one) => `${name}${drawnSubscription(one, last)}`);
  return [
    `The subscriptions differ: ${subscriptionDifference(actual, expected)}.`,
    '',
    ...indented([...draw('expected  ', expected), ...draw('actual    ', actual)]),
  ];
}

function subscriptionDifference(actual: readonly Subscribed[], expected: readonly Subscribed[]): string {
  if (actual.length !== expected.length) return `there are ${actual.length} instead of ${expected.length}`;
  const at = expected.findIndex((one, index) => !same({ ...one }, { ...actual[index] }));
  const [came, wanted] = [actual[at]!, expected[at]!];
  const when = (frame: number): string => (Number.isFinite(frame) ? `at frame ${frame}` : 'never');
  const which = expected.length === 1 ? 'it' : `number ${at + 1}`;
  if (came.subscribedFrame !== wanted.subscribedFrame) {
    return `${which} begins ${when(came.subscribedFrame)} instead of ${when(wanted.subscribedFrame)}`;
  }
  return `${which} ends ${when(came.unsubscribedFrame)} instead of ${when(wanted.unsubscribedFrame)}`;
}

function drawnSubscription({ subscribedFrame, unsubscribedFrame }: Subscribed, last: number): string {
  if (!Number.isFinite(subscribedFrame)) return '-'.repeat(last + 1);
  const start = `${'-'.repeat(subscribedFrame)}^`;
  return Number.isFinite(unsubscribedFrame)
    ? `${start.padEnd(unsubscribedFrame, '-')}!`.padEnd(last + 1, '-')
    : start.padEnd(last + 1, '-');
}

function areFrames(given: unknown): given is readonly Frame[] {
  return Array.isArray(given) && given.every((each: unknown) => typeof (each as Partial<Frame> | null)?.notification === 'object');
}

function areSubscriptions(given: unknown): given is readonly Subscribed[] {
  return Array.isArray(given) && given.every((each: unknown) => typeof (each as Partial<Subscribed> | null)?.subscribedFrame === 'number');
}

function indented(lines: readonly string[]): string[] {
  return lines.map((line) => `  ${line}`);
}
