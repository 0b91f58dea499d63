/** docs/regressions.md: every number is there, and has a test in each file named beside it, or a reason. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  createSourceFile,
  forEachChild,
  isCallExpression,
  isFunctionLike,
  isIdentifier,
  isPropertyAccessExpression,
  isStringLiteralLike,
  isTemplateExpression,
  type Node,
  ScriptTarget,
} from 'typescript';

const ROOT = join(__dirname, '..', '..');
/** How many there are of each kind. */
const NUMBERS = { R: 18, K: 20, C: 8, S: 14, D: 5 };

interface Row {
  readonly id: string;
  readonly files: readonly string[];
  readonly reason: string | undefined;
}

const rows: readonly Row[] = [...readFileSync(join(ROOT, 'docs', 'regressions.md'), 'utf8').matchAll(/^\| ([A-Z]\d+) .*\|(.*)\|$/gm)].map(
  ([, id, tests]) => ({
    id: id!,
    files: [...tests!.matchAll(/`([\w./-]+\.ts)`/g)].map(([, file]) => file!),
    reason: /^ None: (.{40,})$/.exec(tests!)?.[1],
  }),
);

/** `it`, `test` or `describe`, also as in `it.each(table)`. */
function declaresTests(callee: Node): boolean {
  if (isIdentifier(callee)) return ['it', 'test', 'describe'].includes(callee.text);
  return (isPropertyAccessExpression(callee) || isCallExpression(callee)) && declaresTests(callee.expression);
}

/** Texts in what a test or a group of tests is called, rows of `each` included; not those in its body. */
function namesIn(file: string): string[] {
  const names: string[] = [];
  const collect = (node: Node): void => {
    if (isFunctionLike(node)) return;
    if (isStringLiteralLike(node)) names.push(node.text);
    if (isTemplateExpression(node)) names.push(node.head.text);
    forEachChild(node, collect);
  };
  const visit = (node: Node): void => {
    if (isCallExpression(node) && declaresTests(node.expression)) node.arguments.forEach(collect);
    forEachChild(node, visit);
  };
  visit(createSourceFile(file, readFileSync(join(ROOT, 'test', file), 'utf8'), ScriptTarget.Latest));
  return names;
}

const named = new Map<string, string[]>();
function namesOf(file: string): readonly string[] {
  const names = named.get(file) ?? namesIn(file);
  named.set(file, names);
  return names;
}

describe('docs/regressions.md', () => {
  it('has each number once', () => {
    const all = Object.entries(NUMBERS).flatMap(([kind, count]) => Array.from({ length: count }, (_, at) => `${kind}${at + 1}`));
    expect(rows.map(({ id }) => id)).toEqual(all);
  });

  it.each(rows)('$id has tests, or a reason why there are none', ({ files, reason }) => {
    expect(files.length > 0).toBe(reason === undefined);
  });

  it.each(rows.flatMap(({ id, files }) => files.map((file) => [id, file] as const)))('%s is in the name of a test in %s', (id, file) => {
    const carriesId = new RegExp(`\\b${id}\\b`);
    expect(namesOf(file).filter((name) => carriesId.test(name))).not.toEqual([]);
  });
});
