import { map, merge, Subject } from 'rxjs';
import { countWithStore, type LateRecord, selectKey, to, windowTumbling } from '../../operators';
import { int64, string } from '../../src/codec/primitives';
import { internalTopic, topic } from '../../src/codec/topic';
import { windowStore } from '../../src/state/definition';
import { planTopology } from '../../src/task/plan';
import type { Topology } from '../../src/task/topology';
import { planWatermarks, type WatermarkPlan } from '../../src/task/watermark-plan';
import { manualClock } from '../../src/time/manual-clock';

const codecs = { key: string, value: string };
const plain = topic('plain', codecs);
const marked = topic('marked', { ...codecs, watermark: { outOfOrderness: 5, idleAfter: 60 } });
const through = internalTopic('through', codecs);
const further = internalTopic('further', codecs);
const windows = { size: 10 };
const counts = windowStore('counts', { key: string, value: int64, windows });
const totals = windowStore('totals', { key: string, value: int64, windows });
const out = topic('out', { key: string, value: int64 });

const planned = (topology: Topology): WatermarkPlan | undefined =>
  planWatermarks(planTopology(topology, manualClock()), ({ name }) => name.length);
const operatorsOf = (topology: Topology) => planned(topology)?.operators.map(({ store, byWatermark }) => [store, byWatermark]);

describe('which watermarks a topology needs', () => {
  it('none when no topic is in watermark mode', () => {
    const topology: Topology = ({ stream, store }) =>
      stream(plain).pipe(
        windowTumbling(windows),
        countWithStore(store(counts)),
        selectKey((_, { key }) => key.key),
        to(out),
      );
    expect(planned(topology)).toBeUndefined();
  });

  it('an input in watermark mode makes every operator that it reaches go by the watermark, behind repartitions too', () => {
    const topology: Topology = ({ stream, store, repartition }) =>
      merge(
        stream(marked).pipe(repartition(through), repartition(further), windowTumbling(windows), countWithStore(store(counts))),
        stream(plain).pipe(windowTumbling(windows), countWithStore(store(totals))),
      ).pipe(
        selectKey((_, { key }) => key.key),
        to(out),
      );
    expect(operatorsOf(topology)).toEqual([['counts', true]]);
    expect(planned(topology)?.repartitions.map(({ name, feeds }) => [name, feeds.inputs])).toEqual([
      ['further', ['internal through']],
      ['through', ['topic marked']],
    ]);
  });

  it('knows how many upstream tasks there are: the largest partition count among the inputs', () => {
    const topology: Topology = ({ stream, store, repartition }) =>
      merge(stream(marked), stream(plain)).pipe(
        repartition(through),
        windowTumbling(windows),
        countWithStore(store(counts)),
        selectKey((_, { key }) => key.key),
        to(out),
      );
    expect(planned(topology)?.inputs).toEqual([
      { key: 'internal through', outOfOrderness: 0, idleAfter: undefined, upstreamTasks: 'marked'.length },
      { key: 'topic marked', outOfOrderness: 5, idleAfter: 60, upstreamTasks: 0 },
      { key: 'topic plain', outOfOrderness: 0, idleAfter: undefined, upstreamTasks: 0 },
    ]);
  });

  it('counts an input without options, that meets one in watermark mode, with no disorder and never idle', () => {
    const topology: Topology = ({ stream, store }) =>
      merge(stream(plain), stream(marked)).pipe(
        windowTumbling(windows),
        countWithStore(store(counts)),
        selectKey((_, { key }) => key.key),
        to(out),
      );
    expect(planned(topology)?.inputs[0]).toEqual({ key: 'topic plain', outOfOrderness: 0, idleAfter: undefined, upstreamTasks: 0 });
  });

  it('keeps the watermark of a repartition that meets one in watermark mode, though nothing behind it is', () => {
    const topology: Topology = ({ stream, store, repartition }) =>
      merge(stream(plain).pipe(repartition(through)), stream(marked)).pipe(
        windowTumbling(windows),
        countWithStore(store(counts)),
        selectKey((_, { key }) => key.key),
        to(out),
      );
    expect(planned(topology)?.repartitions.map(({ name }) => name)).toEqual(['through']);
  });

  it('an operator follows the ones above it, those first', () => {
    const topology: Topology = ({ stream, store }) =>
      stream(marked).pipe(
        windowTumbling(windows),
        countWithStore(store(counts)),
        windowTumbling({ size: 100 }),
        countWithStore(store(windowStore('hours', { ...counts.output, value: int64, windows: { size: 100 } }))),
        selectKey((_, { key }) => key.key.key),
        to(out),
      );
    expect(planned(topology)?.operators.map(({ store, feeds }) => [store, feeds])).toEqual([
      ['counts', { inputs: ['topic marked'], stores: [] }],
      ['hours', { inputs: [], stores: ['counts'] }],
    ]);
  });

  it('leaves out a repartition that only a Subject fills: nobody could say how far it has come, and all would wait for ever', () => {
    const topology: Topology = ({ stream, store, repartition }) => {
      const lates = new Subject<LateRecord<string, string>>();
      const again = lates.pipe(
        map(({ record }) => record),
        repartition(through),
      );
      return merge(stream(marked), again).pipe(
        windowTumbling(windows),
        countWithStore(store(counts), { late: lates }),
        selectKey((_, { key }) => key.key),
        to(out),
      );
    };
    expect(planned(topology)?.inputs.map(({ key }) => key)).toEqual(['topic marked']);
  });

  it('what comes by a Subject goes by stream time: no input is seen to reach it', () => {
    const lates = new Subject<LateRecord<string, string>>();
    const topology: Topology = ({ stream, store }) =>
      merge(
        stream(marked).pipe(windowTumbling(windows), countWithStore(store(counts), { late: lates })),
        lates.pipe(
          map(({ record }) => record),
          windowTumbling(windows),
          countWithStore(store(totals)),
        ),
      ).pipe(
        selectKey((_, { key }) => key.key),
        to(out),
      );
    expect(operatorsOf(topology)).toEqual([['counts', true]]);
  });
});
