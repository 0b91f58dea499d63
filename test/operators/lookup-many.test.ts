import { Subject } from 'rxjs';
import { lookup } from '../../operators';
import type { KafkaRecord } from '../../src/model/record';
import { noOrigin } from '../../src/model/origin';
import { assembleIn, type Departure, type FlightControl, type InFlight } from '../../src/state/in-flight';
import { record } from '../../src/testing';

const departure: Departure = { origin: noOrigin, timestamp: 0, emission: { id: '', store: undefined } };

/** Of a task that lets land at once whatever may, and whose time stands still. */
const control: FlightControl = {
  failed: false,
  monotonic: 0,
  setTimer: () => ({ cancel: () => undefined }),
  keep: (make) => make(),
  open: (land): InFlight => ({
    isFull: false,
    depart: () => departure,
    arrived: () => {
      while (!land());
    },
    land: () => undefined,
    landed: () => undefined,
  }),
};

/** CPU time that `count` answers take which come in reverse order, ms. */
function costOfLanding(count: number): number {
  const source = new Subject<KafkaRecord<string, number>>();
  const answers: ((value: string) => void)[] = [];
  const landed: number[] = [];
  const fetch = (): Promise<string> =>
    ({ then: (resolve: (value: string) => void) => answers.push(resolve) }) as unknown as Promise<string>;
  const looked = assembleIn(control, () => source.pipe(lookup(fetch, { id: (value) => value, concurrency: count })));
  looked.subscribe(({ value: [value] }) => landed.push(value));
  for (let at = 0; at < count; at++) source.next(record('a', at, at));
  const began = process.cpuUsage();
  for (const answer of answers.reverse()) answer('');
  const { user } = process.cpuUsage(began);
  expect([landed.length, landed.every((value, at) => value === at)]).toEqual([count, true]);
  return user / 1_000;
}

describe('lookup with many records out', () => {
  it('C6: 60,000 answers out of order cost in proportion to their number', () => {
    costOfLanding(10_000);
    const few = costOfLanding(10_000);
    const many = costOfLanding(60_000);
    // Linear is six times as much; with a list that moves up at each answer it was about eighty times as much.
    expect(many).toBeLessThan(6 * 3 * few + 100);
  });
});
