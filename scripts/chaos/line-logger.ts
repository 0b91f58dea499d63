import { openSync, writeSync } from 'node:fs';
import type { Logger } from '../../src/model/logger';

/** A line of JSON for each message, written at once: whoever is killed next has said what it was doing. */
export function lineLogger(file: string): Logger {
  const log = openSync(file, 'a');
  const at =
    (level: string): Logger['info'] =>
    (fields, message) => {
      writeSync(log, `${JSON.stringify({ level, at: new Date().toISOString(), pid: process.pid, ...fields, message })}\n`);
    };
  return { debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') };
}
