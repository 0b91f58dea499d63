// operator.test.ts
import { seconds } from 'millrace';
import { countWithStore, windowTumbling, type LateRecord } from 'millrace/operators';
import { diagram, marbleAssert, memoryStore, record } from 'millrace/testing';
import { map, Subject } from 'rxjs';
import { TestScheduler } from 'rxjs/testing';
import { perMinute, viewsPerPage } from './page-views';

it('emits a count once, when the minute and ten more seconds are over', () => {
  new TestScheduler(marbleAssert).run(({ cold, expectObservable }) => {
    const views = ' --home1---home59---home70---home58---|';
    const counts = '-------------------w-----------------|';
    const lates = ' ----------------------------l---------';

    const source = cold(...diagram(views, () => 'a view', { unit: seconds(1) }));
    const late = new Subject<LateRecord<string, string>>();
    const counted = source.pipe(windowTumbling(perMinute), countWithStore(memoryStore(viewsPerPage), { emit: 'close', late }));

    expectObservable(counted).toBe(counts, { w: record({ key: 'home', start: 0, end: 60_000 }, 2, 59_000) });
    expectObservable(late.pipe(map((each) => each.record))).toBe(lates, { l: record('home', 'a view', 58_000) });
  });
});
