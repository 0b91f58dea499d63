/** One life of an instance with every join of tables, to be killed: node --import tsx worker.ts <JSON of JoiningLife>. */
import { millrace } from '../../../src/millrace';
import { everyJoin } from '../../commit/every-join';

export interface JoiningLife {
  readonly application: string;
  readonly brokers: readonly string[];
  readonly stateDirectory: string;
  readonly instanceId: string;
  readonly untilCaughtUp: boolean;
}

const { application, untilCaughtUp, ...config } = JSON.parse(process.argv[2] ?? '{}') as JoiningLife;
const app = millrace({ applicationId: application, commitInterval: 20, sessionTimeout: 6_000, heartbeatInterval: 500, ...config });
app.run(everyJoin(`${application}-`).topology, untilCaughtUp ? { until: 'caught-up' } : {}).subscribe({
  next: () => process.send?.('committed'),
  error: (error: unknown) => {
    console.error(error);
    process.exit(1);
  },
  complete: () => {
    process.exit(0);
  },
});
