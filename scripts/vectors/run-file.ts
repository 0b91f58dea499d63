import { isKeysFile, readVectors } from './format';
import type { Outcome } from './outcome';
import { runCases } from './run-cases';
import { runKeys } from './run-keys';

export async function runVectorFile(path: string): Promise<readonly Outcome[]> {
  const file = readVectors(path);
  return isKeysFile(file) ? runKeys(file) : runCases(file);
}
