import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import type { Damage } from '../schedule';

const TASK = /^task-\d+$/;
const FILES: Readonly<Record<Damage, RegExp>> = { manifest: /^MANIFEST-/, current: /^CURRENT$/, log: /^\d+\.log$/ };
/** The header of a batch in it, and what stands there: a log that is shorter has nothing to lose. */
const PIECE = Buffer.from('nonsense instead of a batch');

/** Damages the first folder of a task that has something to damage; gives its name. */
export function damageFolder(stateDirectory: string, damage: Damage): string | undefined {
  const files = readdirSync(stateDirectory, { recursive: true, encoding: 'utf8' }).sort();
  for (const file of files) {
    const folder = basename(dirname(file));
    if (!TASK.test(folder) || !FILES[damage].test(basename(file))) continue;
    const path = join(stateDirectory, file);
    if (damage === 'current') rmSync(path);
    else if (!overwritten(path)) continue;
    return folder;
  }
  return undefined;
}

/** In the middle: whole batches stand before it and behind it. */
function overwritten(path: string): boolean {
  const bytes = readFileSync(path);
  if (bytes.length < 2 * PIECE.length) return false;
  PIECE.copy(bytes, Math.floor((bytes.length - PIECE.length) / 2));
  writeFileSync(path, bytes);
  return true;
}
