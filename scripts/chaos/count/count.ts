/**
 * Counts what was lost and what came twice, from the brokers' logs: `node count.js <JSON of CountOrder>` prints a Verdict as JSON. Logs are
 * read by Kafka's own client; nothing here imports anything of ours.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { topicsOf } from '../topics';
import { parseLine } from './logged-record';
import { Counting } from './verdict';

export interface CountOrder {
  readonly application: string;
  readonly broker: string;
  /** How many records of each input the writer has had acknowledged. */
  readonly written: Readonly<Record<string, number>>;
  readonly java: string;
  readonly classPath: string;
  /** DumpLogs.java */
  readonly reader: string;
}

async function main(): Promise<void> {
  const { application, broker, written, java, classPath, reader } = JSON.parse(process.argv[2] ?? '{}') as CountOrder;
  const topics = topicsOf(application);
  const { events, left, right, windowCounts, letterCounts, pairs, windowChangelog, letterChangelog } = topics;
  const names = [events, left, right, windowCounts, letterCounts, pairs, windowChangelog, letterChangelog];
  const jvm = spawn(java, ['-Xmx256m', '-XX:+UseSerialGC', '-cp', classPath, reader, broker, ...names], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  process.once('exit', () => jvm.kill('SIGKILL'));
  const exited = once(jvm, 'exit') as Promise<[number | null]>;
  const counting = new Counting(topics);
  for await (const line of createInterface({ input: jvm.stdout })) counting.add(parseLine(line));
  const [code] = await exited;
  if (code !== 0) throw new Error(`the reader of the logs ended with ${code}`);
  process.stdout.write(`${JSON.stringify(counting.verdict(written))}\n`);
}

main().catch((error: unknown) => {
  console.error(error);
  process.exitCode = 1;
});
