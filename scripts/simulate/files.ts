import { whoseTurn } from './instance';

/** Stands in for that of `node:fs/promises` in the copied sources: the file system is that of the process whose turn it is. */
export function rm(folder: string): Promise<void> {
  const process = whoseTurn();
  return process === undefined ? Promise.reject(new Error(`nobody's turn, and ${folder} is removed`)) : process.removeFolder(folder);
}
