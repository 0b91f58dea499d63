import { join } from 'node:path';
import { millrace, topologyModule } from '../../src';

/**
 * Clicks per user and minute, emitted when the minute closes: a program as a user would write it. Prints `first` and the time of day in ms at
 * the first record, and ends when its standard input ends. In as many threads as MILLRACE_BENCH_THREADS says.
 */
const [brokers, applicationId, input, output, stateDirectory] = process.argv.slice(2) as [string, string, string, string, string];
const threads = Number(process.env['MILLRACE_BENCH_THREADS'] ?? 1);
process.env['MILLRACE_BENCH_TOPICS'] = JSON.stringify({ input, output });

const app = millrace({ applicationId, brokers: brokers.split(','), stateDirectory, threads });
app.run(topologyModule(join(__dirname, 'topology.js'))).subscribe({
  error: (error: unknown) => {
    console.error(error);
    process.exit(1);
  },
});
process.stdin.on('end', () => void app.close()).resume();
