import { posix } from 'node:path';
import * as ts from 'typescript';
import { doorOf, isSource, isSpec, isTestSupport, libOf, type Fault, type SourceTree } from './source-tree';

export const MAX_README_LINES = 30;
export const MAX_CODE_LINES = 300;
export const MAX_DEPENDENCIES = 5;
export const MAX_PUBLIC_METHODS = 8;

const SPECS = ['spec', 'int-spec', 'e2e-spec'];
const KEBAB = /^[a-z0-9]+(-[a-z0-9]+)*$/;
/** Names that say nothing about what is inside. */
const EMPTY_WORDS = new Set(['util', 'utils', 'helper', 'helpers', 'common', 'manager', 'base', 'misc', 'shared']);
/** What Nest calls at start and end; a class does not choose these. */
const LIFECYCLE = /^(onModule|onApplication|beforeApplication)/;

const libsIn = (tree: SourceTree): string[] => [
  ...new Set([...tree.keys()].map(libOf).filter((lib) => lib !== undefined)),
];

const product = (tree: SourceTree): [string, string][] =>
  [...tree].filter(([path]) => isSource(path) && !isSpec(path) && !isTestSupport(path));

const parse = (path: string, text: string): ts.SourceFile =>
  ts.createSourceFile(path, text, ts.ScriptTarget.Latest, true);

/** Every lib says in a short README what it is for. */
export function readmeFaults(tree: SourceTree): Fault[] {
  return libsIn(tree).flatMap((lib) => {
    const path = `libs/${lib}/README.md`;
    const text = tree.get(path);
    if (text === undefined) return [`${path}: missing`];
    const lines = text.trimEnd().split('\n').length;
    return lines > MAX_README_LINES ? [`${path}: ${lines} lines, at most ${MAX_README_LINES}`] : [];
  });
}

/** File names are kebab case with a suffix of the closed list or none, and mean something. */
export function nameFaults(tree: SourceTree, suffixes: readonly string[]): Fault[] {
  return [...tree.keys()]
    .filter((path) => isSource(path) && !isTestSupport(path))
    .flatMap((path) => {
      const [name = '', ...tail] = posix.basename(path, '.ts').split('.');
      const words = [...posix.dirname(path).split('/'), name];
      const empty = words.find((word) => EMPTY_WORDS.has(word.split('-').at(-1) as string));
      if (empty) return [`${path}: "${empty}" says nothing`];
      if (!words.every((word) => KEBAB.test(word))) return [`${path}: names are lower case with hyphens`];
      const kind = tail.length === 2 && SPECS.includes(tail[1] as string) ? tail.slice(0, 1) : tail;
      const known = kind.length === 0 || (kind.length === 1 && suffixes.includes(kind[0] as string));
      return known ? [] : [`${path}: ".${tail.join('.')}" is no suffix of the list in CONTRIBUTING.md`];
    });
}

/** Lines that hold code: neither blank nor comment alone. */
export function codeLines(path: string, text: string): number {
  const source = parse(path, text);
  const lines = new Set<number>();
  const visit = (node: ts.Node): void => {
    if (ts.isJSDoc(node)) return;
    const children = node.getChildren(source);
    children.forEach(visit);
    if (children.length > 0 || node.getWidth(source) === 0) return;
    const last = source.getLineAndCharacterOfPosition(node.getEnd()).line;
    for (let line = source.getLineAndCharacterOfPosition(node.getStart(source)).line; line <= last; line++)
      lines.add(line);
  };
  visit(source);
  return lines.size;
}

export function sizeFaults(tree: SourceTree): Fault[] {
  return product(tree)
    .filter(([, text]) => text.split('\n').length > MAX_CODE_LINES)
    .map(([path, text]) => ({ path, lines: codeLines(path, text) }))
    .filter(({ lines }) => lines > MAX_CODE_LINES)
    .map(({ path, lines }) => `${path}: ${lines} lines of code, at most ${MAX_CODE_LINES}`);
}

/** A door holds exports by name from the files behind it, and nothing else. */
export function doorFaults(tree: SourceTree): Fault[] {
  return libsIn(tree).flatMap((lib) => {
    const path = doorOf(lib);
    const text = tree.get(path);
    if (text === undefined) return [`${path}: missing`];
    return parse(path, text)
      .statements.filter((statement) => !isNamedExport(statement))
      .map((statement) => `${path}: not an export by name: ${statement.getText().split('\n')[0]}`);
  });
}

function isNamedExport(statement: ts.Statement): boolean {
  if (!ts.isExportDeclaration(statement) || !statement.moduleSpecifier || !statement.exportClause) return false;
  return (
    ts.isNamedExports(statement.exportClause) &&
    statement.exportClause.elements.every(({ name }) => name.text !== 'default')
  );
}

/** Classes that know too many others or do too much. */
export function classFaults(tree: SourceTree): Fault[] {
  return product(tree).flatMap(([path, text]) => {
    const faults: Fault[] = [];
    const visit = (node: ts.Node): void => {
      if (ts.isClassLike(node)) faults.push(...faultsOfClass(path, node));
      ts.forEachChild(node, visit);
    };
    visit(parse(path, text));
    return faults;
  });
}

function faultsOfClass(path: string, node: ts.ClassLikeDeclaration): Fault[] {
  const name = node.name?.text ?? 'a class';
  const constructors = injectable(path, node) ? node.members.filter(ts.isConstructorDeclaration) : [];
  const dependencies = Math.max(0, ...constructors.map(({ parameters }) => parameters.length));
  const methods = new Set(node.members.filter(isPublicMethod).map((member) => member.name?.getText()));
  return [
    ...(dependencies > MAX_DEPENDENCIES
      ? [`${path}: ${name} takes ${dependencies} dependencies, at most ${MAX_DEPENDENCIES}`]
      : []),
    ...(methods.size > MAX_PUBLIC_METHODS
      ? [`${path}: ${name} has ${methods.size} public methods, at most ${MAX_PUBLIC_METHODS}`]
      : []),
  ];
}

/** A class of a kind that Nest may construct. Of the others the parameters are values, and a value may have many. */
const injectable = (path: string, node: ts.ClassLikeDeclaration): boolean =>
  posix.basename(path, '.ts').includes('.') ||
  (ts.canHaveDecorators(node) && (ts.getDecorators(node) ?? []).length > 0);

/** A property that holds a function is a method in another dress. */
function isPublicMethod(member: ts.ClassElement): boolean {
  const callable =
    ts.isMethodDeclaration(member) ||
    (ts.isPropertyDeclaration(member) && member.initializer !== undefined && ts.isFunctionLike(member.initializer));
  const hidden = ts.getCombinedModifierFlags(member) & (ts.ModifierFlags.Private | ts.ModifierFlags.Protected);
  return callable && !hidden && !ts.isPrivateIdentifier(member.name) && !LIFECYCLE.test(member.name.getText());
}
