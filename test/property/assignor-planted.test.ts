/** Would the histories notice? The assignor with one line made wrong each time. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { transformSync } from '@swc/core';
import * as fc from 'fast-check';
import { type Assign, Broken, histories, SimulatedGroup } from './assignor-histories';

const SOURCES = join(__dirname, '..', '..', 'src', 'kafka');
const FILES = ['assignor-group', 'assignor-active', 'assignor-standby', 'assignor'] as const;

interface Planted {
  readonly file: (typeof FILES)[number];
  readonly text: string;
  readonly becomes: string;
}

/** By what goes wrong. */
const PLANTED: Readonly<Record<string, Planted>> = {
  'a task goes to its new owner before the old one has given it up': {
    file: 'assignor',
    text: 'else this.handOver(task, from, to);',
    becomes: 'else this.activate(task, target, to);',
  },
  'a task without an owner is left out': {
    file: 'assignor',
    text: 'else if (owner === undefined) this.activate(task, target, to);',
    becomes: 'else if (owner === undefined) continue;',
  },
  'nobody warms up': { file: 'assignor', text: 'from !== to && !this.isReady(to, task)', becomes: 'from !== to && task < 0' },
  'a task without an owner goes to its new place, whatever lies there': {
    file: 'assignor',
    text: 'owner ?? heirs.get(task) ?? target',
    becomes: 'owner ?? target',
  },
  'too many warm up at once': { file: 'assignor', text: 'left-- <= 0', becomes: 'left <= 0' },
  'nobody asks for the rebalance that warm-ups wait for': {
    file: 'assignor',
    text: 'draft.isAwaited = true',
    becomes: 'draft.isAwaited = false',
  },
  'a warm-up is a standby as well': {
    file: 'assignor',
    text: 'this.standbys.get(move.task)?.delete(move.to);',
    becomes: '',
  },
  'an empty copy replaces one that is up to date': { file: 'assignor', text: 'if (stays === undefined) break;', becomes: 'break;' },
  'a copy goes where the task is active': {
    file: 'assignor-standby',
    text: ' && this.excludedBy.get(task)?.includes(instance) !== true',
    becomes: '',
  },
  'copies are not balanced': { file: 'assignor-standby', text: 'while (standbys.relieve()) continue;', becomes: '' },
  'copies do not stay where they are': { file: 'assignor-standby', text: 'standbys.keep(replicas);', becomes: '' },
  'the order of members matters': { file: 'assignor-group', text: '[...members].sort(byId)', becomes: '[...members]' },
  'both of two processes under one id get tasks': {
    file: 'assignor-group',
    text: 'return [id, senior?.[1] ?? []];',
    becomes: 'return [id, members];',
  },
  'of two processes under one id the one that works has to stop': {
    file: 'assignor-group',
    text: 'newestOwned(bs) - newestOwned(as) ||',
    becomes: 'newestOwned(as) - newestOwned(bs) ||',
  },
  'members do not count as one instance': {
    file: 'assignor-group',
    text: 'instance === undefined ? `member ${memberId}` : `instance ${instance}`',
    becomes: '`member ${memberId}${instance}`',
  },
  'one task more moves than must': {
    file: 'assignor-active',
    text: 'this.surplus.set(member, Math.max(0, -spare));',
    becomes: 'this.surplus.set(member, Math.max(0, -spare) + (spare < 0 ? 1 : 0));',
  },
  'instances do not share evenly': { file: 'assignor-active', text: 'difference < 0 ||', becomes: '' },
  'the larger share does not go to who owns more': {
    file: 'assignor-active',
    text: 'wish(b.waiting[0]!) > wish(a.waiting[0]!)',
    becomes: 'wish(b.waiting[0]!) < wish(a.waiting[0]!)',
  },
  'what is to move is chosen without a look at the disks': {
    file: 'assignor-active',
    text: 'this.placeSurplus(targets);',
    becomes: '',
  },
};

/** The assignor, compiled from its sources after `edit`. */
function compiled(planted?: Planted): Assign {
  const modules = new Map<string, Record<string, unknown>>();
  for (const file of FILES) {
    let source = readFileSync(join(SOURCES, `${file}.ts`), 'utf8');
    if (planted?.file === file) {
      if (source.split(planted.text).length !== 2) throw new Error(`not once in ${file}.ts: ${planted.text}`);
      source = source.replace(planted.text, () => planted.becomes);
    }
    const { code } = transformSync(source, {
      swcrc: false,
      jsc: { parser: { syntax: 'typescript' }, target: 'es2022' },
      module: { type: 'commonjs' },
    });
    const exported: Record<string, unknown> = {};
    modules.set(`./${file}`, exported);
    // eslint-disable-next-line @typescript-eslint/no-implied-eval -- what was compiled here is run here
    new Function('exports', 'require', code)(exported, (name: string) => modules.get(name));
  }
  return modules.get('./assignor')!['assign'] as Assign;
}

/** What the histories find; undefined: nothing. */
function finding(assign: Assign, numRuns: number): string | undefined {
  const property = fc.property(histories(), fc.nat(3), (history, end) => {
    const group = new SimulatedGroup(assign, history);
    group.live();
    if (end === 0) return group.checkWithoutProgress();
    group.settle();
    if (end === 1) group.checkSettled();
    if (end === 2) group.checkNewcomer();
    if (end === 3) group.checkReturn();
  });
  const { failed, errorInstance } = fc.check(property, { numRuns, endOnFailure: true, seed: 20_261_121 });
  if (!failed) return undefined;
  if (errorInstance instanceof Broken) return errorInstance.message;
  throw errorInstance;
}

describe('histories of a group', () => {
  it('find nothing in the assignor as it is', () => {
    expect(finding(compiled(), 200)).toBeUndefined();
  });

  it.each(Object.keys(PLANTED))('find it when %s', (name) => {
    expect(finding(compiled(PLANTED[name]), 3_000)).toEqual(expect.any(String));
  });
});
