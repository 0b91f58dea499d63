import type { Logger } from '../model/logger';
import type { Plan } from '../task/plan';
import { describeTableTopics } from './table-topics';
import { describeWritten, type WrittenTopics, type WrittenTopicsOptions } from './written-topics';

export interface DescribeOptions extends WrittenTopicsOptions {
  readonly plan: Pick<Plan, 'tables' | 'globals'>;
  readonly logger: Logger;
}

/** What an application must know of its topics as they are on the cluster. */
export async function describeTopics({ plan, logger, ...of }: DescribeOptions): Promise<WrittenTopics> {
  const tables = [...plan.tables, ...plan.globals.map(({ name }) => name)];
  const [written, ofTables] = await Promise.all([describeWritten(of), describeTableTopics(of, [...new Set(tables)], logger)]);
  return { ...written, tombstoneRetention: new Map([...written.tombstoneRetention, ...ofTables]) };
}
