import { MillraceError } from '../errors/millrace-error';

/** A task whose state lies on a member's disk. */
export interface HeldTask {
  readonly task: number;
  /** Sum of the positions in the task's changelogs up to which the disk holds them. */
  readonly position: number;
  /** As a standby or in order to take the task over: the changelogs are read now. False: the member owns it, or it was left behind. */
  readonly following: boolean;
}

/*
 * base64 of { varint (distance to the task before, from −1) × 2 + following · varint position } in order of task: about eight characters
 * a task, whatever JSON would make of it. Every member's claim is kept by the broker in one record of the group, of 1 MB at most.
 */

export function encodeHeld(held: readonly HeldTask[]): string {
  const bytes: number[] = [];
  let before = -1;
  for (const { task, position, following } of [...held].sort((a, b) => a.task - b.task)) {
    pushVarint(bytes, (task - before) * 2 + (following ? 1 : 0));
    pushVarint(bytes, position);
    before = task;
  }
  return Buffer.from(bytes).toString('base64');
}

/** @throws PROTOCOL for what `encodeHeld` did not write */
export function decodeHeld(text: string): readonly HeldTask[] {
  const bytes = Buffer.from(text, 'base64');
  const held: HeldTask[] = [];
  let at = 0;
  const varint = (): number => {
    let value = 0;
    for (let scale = 1; ; scale *= 0x80) {
      const byte = bytes[at++];
      if (byte === undefined) throw new MillraceError('PROTOCOL', 'the list of tasks that a member holds is cut off');
      value += (byte & 0x7f) * scale;
      if (byte < 0x80) return value;
    }
  };
  for (let task = -1; at < bytes.length;) {
    const step = varint();
    task += Math.floor(step / 2);
    held.push({ task, position: varint(), following: step % 2 === 1 });
  }
  return held;
}

/** Any safe integer from 0. */
function pushVarint(bytes: number[], value: number): void {
  let rest = value;
  for (; rest >= 0x80; rest = Math.floor(rest / 0x80)) bytes.push((rest % 0x80) | 0x80);
  bytes.push(rest);
}
