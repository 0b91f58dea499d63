import * as ts from 'typescript';

/** A place where one piece of work waits for another, and the process may die or stop meanwhile. */
export interface AwaitSite {
  readonly file: string;
  readonly line: number;
  /** The function around it, and what it waits for. */
  readonly what: string;
}

const CONTINUATIONS = new Set(['then', 'catch', 'finally']);
const CONSTRUCTED = /^Promise\.(resolve|reject)\(/;

interface Insertion {
  readonly at: number;
  readonly text: string;
}

/**
 * Puts `__at(site, …)` around every operand of `await`, and around what `.then`, `.catch` and `.finally` are called on. Lines stay where
 * they are.
 *
 * @param sites each site found is added; its index is its number
 */
export function instrument(file: string, source: string, sites: AwaitSite[]): string {
  const tree = ts.createSourceFile(file, source, ts.ScriptTarget.ES2022, true);
  const insertions: Insertion[] = [];
  const surround = (operand: ts.Node): void => {
    const { line } = tree.getLineAndCharacterOfPosition(operand.getStart(tree));
    const what = `${nameAround(operand)}: ${operand.getText(tree).replace(/\s+/g, ' ').slice(0, 60)}`;
    insertions.push({ at: operand.getStart(tree), text: `__at(${sites.length}, ` }, { at: operand.getEnd(), text: ')' });
    sites.push({ file, line: line + 1, what });
  };
  const visit = (node: ts.Node): void => {
    if (ts.isAwaitExpression(node)) surround(node.expression);
    else if (isContinuation(node, tree)) surround(node.expression.expression);
    ts.forEachChild(node, visit);
  };
  visit(tree);
  return inserted(source, insertions);
}

function isContinuation(node: ts.Node, tree: ts.SourceFile): node is ts.CallExpression & { expression: ts.PropertyAccessExpression } {
  if (!ts.isCallExpression(node) || !ts.isPropertyAccessExpression(node.expression)) return false;
  const { name, expression, questionDotToken } = node.expression;
  // What an `await` stands before is surrounded already, with all that is chained to it.
  if (questionDotToken !== undefined || node.questionDotToken !== undefined || ts.isAwaitExpression(expression)) return false;
  return CONTINUATIONS.has(name.text) && !CONSTRUCTED.test(expression.getText(tree));
}

/** Where two begin at one place, the later found is the inner one. */
function inserted(source: string, insertions: readonly Insertion[]): string {
  const ordered = insertions.map((each, order) => ({ ...each, order })).sort((a, b) => a.at - b.at || a.order - b.order);
  let text = '';
  let from = 0;
  for (const { at, text: added } of ordered) {
    text += source.slice(from, at) + added;
    from = at;
  }
  return text + source.slice(from);
}

function nameAround(node: ts.Node): string {
  for (let at: ts.Node | undefined = node.parent; at !== undefined; at = at.parent) {
    if ((ts.isMethodDeclaration(at) || ts.isFunctionDeclaration(at)) && at.name !== undefined) return at.name.getText();
    if (ts.isConstructorDeclaration(at)) return 'constructor';
  }
  return '(file)';
}
