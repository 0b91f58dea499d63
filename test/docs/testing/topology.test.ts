// topology.test.ts
import { minutes, seconds } from 'millrace';
import { outgoing, records, testTopology } from 'millrace/testing';
import { goodbyes, lateViews, pageCounts, topology, views, viewsPerPage } from './page-views';

/** `ada5=home`: ada looks at home at second 5 of event time. */
const seen = (text: string) => records(text, (view) => ({ page: view.text }), { unit: seconds(1) });

it('counts views page by page, and closes what its partition has passed', () => {
  const test = testTopology(topology, { partitions: 4 });
  test.pipe(views, ...seen('ada1=home bob2=news eve59=home'));
  expect(test.read(pageCounts)).toEqual([]);

  test.pipe(views, ...seen('bob70=help')); // by its murmur2 in the same partition as home, and news is in another
  expect(test.read(pageCounts)).toEqual([outgoing(pageCounts, { key: 'home', start: 0, end: 60_000 }, 2, 59_000)]);
  expect(test.store(viewsPerPage).get('news', 0)).toBe(1);
});

it('writes late views to a topic of their own', () => {
  const test = testTopology(topology);
  test.pipe(views, ...seen('ada70=home bob5=home'));
  expect(test.read(lateViews)).toEqual([outgoing(lateViews, 'home', { page: 'home' }, 5_000)]);
  expect(test.metric('dropped-records-total', { operator: 'countWithStore' })).toBe(1);
});

it('says goodbye after half an hour of wall clock', () => {
  const test = testTopology(topology, { now: new Date('2026-03-01T12:00:00Z') });
  test.pipe(views, ...seen('ada1=home'));
  test.advanceWallClock(minutes(29));
  test.pipe(views, ...seen('ada2=help'));
  test.advanceWallClock(minutes(30) - 1);
  expect(test.read(goodbyes)).toEqual([]);

  test.advanceWallClock(1);
  expect(test.read(goodbyes)).toEqual([outgoing(goodbyes, 'ada', 'gone for half an hour', Date.parse('2026-03-01T12:59:00Z'))]);
});

it('goes on with what was committed after a restart', () => {
  const test = testTopology(topology);
  test.pipe(views, ...seen('ada1=home'));
  test.restart();
  test.pipe(views, ...seen('bob2=home bob70=help'));
  expect(test.read(pageCounts)).toEqual([outgoing(pageCounts, { key: 'home', start: 0, end: 60_000 }, 2, 2_000)]);
});
