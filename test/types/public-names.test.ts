/** An import from the wrong package must not compile by luck: no name of ours, value or type, is also a name in rxjs. */
import { join } from 'node:path';
import ts from 'typescript';

const ROOT = join(__dirname, '..', '..');
const OURS = ['src/index.ts', 'operators/index.ts', 'src/testing/index.ts'].map((file) => join(ROOT, file));
const THEIRS = ['rxjs', 'rxjs/operators'].map((name) => require.resolve(name));

const program = ts.createProgram([...OURS, ...THEIRS.map(declarationsOf)], {
  module: ts.ModuleKind.CommonJS,
  moduleResolution: ts.ModuleResolutionKind.Bundler,
  target: ts.ScriptTarget.ES2022,
  skipLibCheck: true,
  noLib: true,
  types: [],
});

function declarationsOf(script: string): string {
  return script.replace(join('dist', 'cjs'), join('dist', 'types')).replace(/\.js$/, '.d.ts');
}

function namesIn(file: string): string[] {
  const source = program.getSourceFile(file);
  if (source === undefined) throw new Error(`${file} is not there`);
  const checker = program.getTypeChecker();
  const module = checker.getSymbolAtLocation(source);
  return module === undefined ? [] : checker.getExportsOfModule(module).map((symbol) => symbol.name);
}

const rxjsNames = new Set(THEIRS.map(declarationsOf).flatMap(namesIn));

describe('public names', () => {
  it('are compared with all of rxjs, its types included', () => {
    expect([...rxjsNames]).toEqual(expect.arrayContaining(['Observable', 'debounceTime', 'OperatorFunction']));
  });

  it.each(OURS.map((file) => file.slice(ROOT.length + 1)))('%s exports no name that rxjs exports', (file) => {
    const names = namesIn(join(ROOT, file));
    expect(names).not.toEqual([]);
    expect(names.filter((name) => rxjsNames.has(name))).toEqual([]);
  });
});
