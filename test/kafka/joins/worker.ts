/** One life of an instance with joins, to be killed: node --import tsx worker.ts <JSON of JoiningLife>. */
import { millrace } from '../../../src/millrace';
import { everyJoin } from '../../commit/every-join';
import { joinsOfStreams } from './streams';

const programs = { tables: everyJoin, streams: joinsOfStreams };

export interface JoiningLife {
  readonly program: keyof typeof programs;
  readonly application: string;
  readonly brokers: readonly string[];
  readonly stateDirectory: string;
  readonly instanceId: string;
  readonly untilCaughtUp: boolean;
}

const { application, untilCaughtUp, program, ...config } = JSON.parse(process.argv[2] ?? '{}') as JoiningLife;
const { topology } = programs[program](`${application}-`);
const app = millrace({ applicationId: application, commitInterval: 20, sessionTimeout: 6_000, heartbeatInterval: 500, ...config });
app.run(topology, untilCaughtUp ? { until: 'caught-up' } : {}).subscribe({
  next: () => process.send?.('committed'),
  error: (error: unknown) => {
    console.error(error);
    process.exit(1);
  },
  complete: () => {
    process.exit(0);
  },
});
