// cluster.test.ts
import { seconds } from 'millrace';
import { inputRow, outgoing, record, testCluster, type CrashPoint } from 'millrace/testing';
import { pageCounts, topology, views } from './page-views';

const view = (user: string, second: number, page: string) => record(user, { page }, seconds(second));
const seen = { a: view('ada', 1, 'home'), b: view('bob', 59, 'home'), c: view('ada', 70, 'help') };
const home = outgoing(pageCounts, { key: 'home', start: 0, end: 60_000 }, 2, 59_000);

it('counts on when an instance dies at frame 4 and returns at frame 12', async () => {
  const run = await testCluster({
    topology,
    partitions: 2,
    instances: {
      a: '                         ^---x-------^--------',
      b: '                         --^--------------!---',
    },
    input: [inputRow(views, '     -a--------b--------c-', seen)],
  });
  run.expectCommitted(pageCounts).toBe('-------------------h-', { h: home });
});

it('counts each view once when an instance dies in the middle of a transaction', async () => {
  const run = await testCluster({
    topology,
    partitions: 2,
    instances: {
      a: '                         ^------p--------^---',
      b: '                         --^-----------------',
    },
    crashes: { p: 'between produce and EndTxn' },
    input: [inputRow(views, '     -a---b---c----------', seen)],
  });
  run.expectCommitted(pageCounts).toBe('--------------h-----', { h: home });
});

const points: CrashPoint[] = [
  'before produce',
  'between produce and EndTxn',
  'before the answer to EndTxn',
  'between EndTxn and the local write',
];

it.each(points)('counts each view once when it dies %s, whatever the latencies', async (point) => {
  const options = {
    topology,
    partitions: 2,
    instances: { a: '^------p--------^---', b: '--^-----------------' },
    crashes: { p: point },
    input: [inputRow(views, '-a---b---c----------', seen)],
    runs: 3,
  };
  await testCluster(options, ({ committed }) => expect(committed(pageCounts)).toEqual([home]));
});
