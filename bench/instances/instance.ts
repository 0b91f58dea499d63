/** One instance in a process of its own: node --import tsx instance.ts <JSON of InstanceLife>. Tells its parent what it does. */
import { millrace, type Logger } from '../../src';
import type { MillraceConfig } from '../../src/config';
import { rowsJob } from './job';

export type InstanceLife = Pick<MillraceConfig, 'sessionTimeout' | 'heartbeatInterval' | 'standbyReplicas' | 'acceptableLag'> & {
  readonly application: string;
  readonly brokers: readonly string[];
  readonly stateDirectory: string;
};

/** Times are wall clock, ms. */
export type InstanceNews =
  | { readonly kind: 'committed'; readonly at: number; readonly tasks: readonly { readonly partition: number; readonly records: number }[] }
  | { readonly kind: 'started'; readonly at: number; readonly task: number }
  | { readonly kind: 'restored'; readonly at: number; readonly records: number; readonly task: string }
  | { readonly kind: 'followed'; readonly at: number; readonly records: number };

const { application, ...options } = JSON.parse(process.argv[2] ?? '{}') as InstanceLife;

function tell(news: InstanceNews): void {
  process.send?.(news);
}

const logger: Logger = {
  debug: () => undefined,
  info: (fields, message) => {
    if (message === 'task started') tell({ kind: 'started', at: Date.now(), task: (fields as { readonly task: number }).task });
  },
  warn: (_, message) => {
    console.warn(message);
  },
  error: (_, message) => {
    console.error(message);
  },
};

const app = millrace({
  ...options,
  applicationId: application,
  logger,
  metrics: {
    add: (name, amount, { task }) => {
      if (name === 'restore-records-total') tell({ kind: 'restored', at: Date.now(), records: amount, task: task ?? '' });
      if (name === 'standby-records-total') tell({ kind: 'followed', at: Date.now(), records: amount });
    },
  },
});

app.run(rowsJob(application).topology).subscribe({
  next: ({ tasks }) => {
    tell({ kind: 'committed', at: Date.now(), tasks: tasks.map(({ partition, records }) => ({ partition, records })) });
  },
  error: (error: unknown) => {
    console.error(error);
    process.exit(1);
  },
});
process.once('SIGTERM', () => void app.close().then(() => process.exit(0)));
process.once('disconnect', () => process.exit(1));
