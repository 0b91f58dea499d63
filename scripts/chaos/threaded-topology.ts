/** The job as a module that worker threads load: they know the application by the environment of their process. */
import { chaosJob } from './job';

export const topology = chaosJob(process.env['CHAOS_APPLICATION'] ?? '', () => undefined);
