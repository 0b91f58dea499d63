// forgetful.ts
import { int64, string, topic, type Topology } from 'millrace';
import { to } from 'millrace/operators';
import { inputRow, outgoing, record, testCluster } from 'millrace/testing';
import { map, scan } from 'rxjs';
import { views } from './page-views';

const visits = topic('visits', { key: string, value: int64 });
const forgetful: Topology = ({ stream }) =>
  stream(views).pipe(
    map((view) => view.withValue(1)),
    scan((before, view) => view.withValue(before.value + 1)), // countWithStore would be the durable way
    to(visits),
  );
const visit = (count: number) => outgoing(visits, 'ada', count, 1_000);

export const crash = () =>
  testCluster(
    {
      topology: forgetful,
      instances: { a: '                    ^-----x--^-----' },
      input: [inputRow(views, '            -v-v-v-----v-v-', { v: record('ada', { page: 'home' }, 1_000) })],
    },
    ({ expectCommitted }) => {
      expectCommitted(visits).toBe('       -a-b-c-----d-e-', { a: visit(1), b: visit(2), c: visit(3), d: visit(4), e: visit(5) });
    },
  );
