import type { CheckedConfig } from '../config';
import type { WorkerFailure, WorkerFailureVerdict } from '../model/worker-failure';

/** These come of what the group has decided about this process: another thread would be told the same. */
const FINAL = new Set<string>(['APPLICATION_STOPPED', 'INSTANCE_DUPLICATE']);

/** What becomes of it, by `onWorkerFailure`; threads that die too often are replaced no more. */
export function verdictOn(failure: WorkerFailure, config: CheckedConfig, areTooMany: boolean): WorkerFailureVerdict {
  const { onWorkerFailure, logger } = config;
  if (FINAL.has(failure.error.code)) return 'stop-instance';
  const wanted = typeof onWorkerFailure === 'function' ? asked(onWorkerFailure, failure, config) : onWorkerFailure;
  if (wanted !== 'replace' || !areTooMany) return wanted;
  logger.error({ failures: failure.failures }, 'threads of this process have died too often within five minutes: no more are replaced');
  return 'stop-instance';
}

function asked(
  policy: (failure: WorkerFailure) => WorkerFailureVerdict,
  failure: WorkerFailure,
  { logger }: CheckedConfig,
): WorkerFailureVerdict {
  try {
    const verdict: unknown = policy(failure);
    if (verdict === 'replace' || verdict === 'stop-instance' || verdict === 'stop-application') return verdict;
    logger.error({ verdict: String(verdict) }, 'onWorkerFailure gave something that is no verdict: the instance is stopped');
  } catch (cause) {
    logger.error({ cause: String(cause) }, 'onWorkerFailure threw: the instance is stopped');
  }
  return 'stop-instance';
}
