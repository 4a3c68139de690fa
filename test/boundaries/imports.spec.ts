import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { classFaults, codeLines, doorFaults, nameFaults, readmeFaults, sizeFaults } from './file-rules';
import { cycleFaults, importGraph, wallFaults, type Storeys } from './import-graph';
import { readTree, type Fault, type SourceTree } from './source-tree';

const ROOT = join(__dirname, '../..');

/** The house's rules stand where its people read them; here they are taken from there. */
function stated(file: string, where: RegExp): string {
  const found = where.exec(readFileSync(join(ROOT, file), 'utf8'))?.[1];
  if (found === undefined) throw new Error(`${file} no longer states what ${String(where)} looks for`);
  return found;
}

const written = stated('eslint.config.mjs', /const STOREYS = (.*?);/s).replaceAll("'", '"');
const storeys = JSON.parse(written.replace(/,(?=\s*\])/g, '')) as Storeys;
const suffixes = stated('CONTRIBUTING.md', /suffixes are a closed list: `([^`]+)`/).split(' ');

describe('the house', () => {
  const tree = readTree(ROOT, ['apps', 'libs', 'test']);
  const graph = importGraph(tree);

  it('was read', () => {
    expect(graph.get('libs/platform/src/index.ts')?.map(({ to }) => to)).toContain('libs/platform/src/money.ts');
    expect(graph.get('test/support/principals.ts')?.map(({ to }) => to)).toEqual(['libs/platform/src/index.ts']);
    expect(storeys[0]).toEqual(['platform']);
    expect(suffixes).toContain('controller');
  });

  it('imports downward only, through doors', () => expect(wallFaults(graph, storeys)).toEqual([]));
  it('has no loops', () => expect(cycleFaults(graph)).toEqual([]));
  it('explains each lib briefly', () => expect(readmeFaults(tree)).toEqual([]));
  it('names its files by the list', () => expect(nameFaults(tree, suffixes)).toEqual([]));
  it('has no oversized file', () => expect(sizeFaults(tree)).toEqual([]));
  it('has doors of named exports', () => expect(doorFaults(tree)).toEqual([]));
  it('has no class that knows or does too much', () => expect(classFaults(tree)).toEqual([]));
});

describe('each rule can fail', () => {
  const STOREYS: Storeys = [['ground'], ['left', 'right'], ['roof']];
  const treeOf = (files: Record<string, string>): SourceTree => new Map(Object.entries(files));

  /** A sound little house with the given files added or replaced. */
  const house = (files: Record<string, string> = {}): SourceTree =>
    treeOf({
      'libs/ground/src/index.ts': `export { stone, type Brick } from './stone';`,
      'libs/ground/src/stone.ts': 'export const stone = 1; export type Brick = 1;',
      'libs/left/src/index.ts': `export { wall } from './wall';`,
      'libs/left/src/wall.ts': `import { stone } from '@app/ground'; export const wall = stone;`,
      'libs/right/src/index.ts': `export { door } from './door';`,
      'libs/right/src/door.ts': `import type { Brick } from '@app/ground'; export const door: Brick = 1;`,
      'libs/roof/src/index.ts': `export { tile } from './tile';`,
      'libs/roof/src/tile.ts': `import { wall } from '@app/left'; export const tile = wall;`,
      'apps/gateway/src/main.ts': `import { tile } from '@app/roof'; import './app.module'; void tile;`,
      'apps/gateway/src/app.module.ts': `import { door } from '@app/right'; void door;`,
      'libs/left/test/world.ts': `import '../../../test/support/tools'; import '../src/wall';`,
      'libs/left/src/wall.int-spec.ts': `import '../test/world';`,
      'test/support/tools.ts': `import { tile } from '../../libs/roof/src/tile'; void tile;`,
      ...files,
    });

  const walls = (files: Record<string, string>): Fault[] => wallFaults(importGraph(house(files)), STOREYS);
  const cycles = (files: Record<string, string>): Fault[] => cycleFaults(importGraph(house(files)));

  it('and finds nothing in a sound house', () => {
    expect(walls({})).toEqual([]);
    expect(cycles({})).toEqual([]);
    expect(doorFaults(house())).toEqual([]);
  });

  it.each<[string, string, string, string]>([
    ['climbing', 'libs/ground/src/a.ts', `import { wall } from '@app/left';`, 'left stands above ground'],
    ['climbing by a type', 'libs/left/src/a.ts', `import type { T } from '@app/roof';`, 'roof stands above left'],
    ['climbing at run time', 'libs/left/src/a.ts', `void import('@app/roof');`, 'roof stands above left'],
    ['climbing by an inline type', 'libs/left/src/a.ts', `let a: import('@app/roof').T;`, 'roof stands above left'],
    ['climbing by require', 'libs/left/src/a.ts', `const a = require('@app/roof');`, 'roof stands above left'],
    ['climbing by passing on', 'libs/left/src/a.ts', `export { a } from '@app/roof';`, 'roof stands above left'],
    ['climbing in a spec', 'libs/left/src/a.spec.ts', `import '@app/roof';`, 'roof stands above left'],
    ['a sibling', 'libs/left/src/a.ts', `import { door } from '@app/right';`, 'left and right are siblings'],
    ['a back door', 'libs/roof/src/a.ts', `import { wall } from '@app/left/wall';`, 'enter left through its door'],
    ['a hole', 'libs/roof/src/a.ts', `import { wall } from '../../left/src/wall';`, 'enter left through its door'],
    [
      'a hole at the door',
      'libs/roof/src/a.ts',
      `import { wall } from '../../left/src';`,
      'enter left through its door',
    ],
    ['the own door', 'libs/left/src/a.ts', `import { wall } from '.';`, 'not the door'],
    ['the own door from below', 'libs/left/src/b/a.ts', `import { wall } from '..';`, 'not the door'],
    ['the own door by name', 'libs/left/src/a.ts', `import { wall } from '@app/left';`, 'not the door'],
    ['an app', 'libs/roof/src/a.ts', `import '../../../apps/gateway/src/main';`, 'does not reach up into an app'],
    ['tests', 'libs/roof/src/a.ts', `import '../../../test/support/tools';`, 'the product needs no tests'],
    ['tests in a pure spec', 'libs/roof/src/a.spec.ts', `import '../../../test/support/tools';`, 'needs no tests'],
    ['an app’s hole', 'apps/gateway/src/a.ts', `import '../../../libs/left/src/wall';`, 'enter left through its door'],
    ['its own tests', 'libs/left/src/a.ts', `import '../test/world';`, 'the product needs no tests'],
    ['another app', 'apps/cli/src/main.ts', `import '../../gateway/src/main';`, 'apps do not import each other'],
    ['a lib without a storey', 'libs/shed/src/a.ts', `export const a = 1;`, 'the lib shed stands on no storey'],
  ])('the walls: %s', (_, file, text, reason) => {
    const faults = walls({ [file]: text });
    expect(faults).toEqual([expect.stringContaining(reason)]);
    expect(faults[0]).toContain(file);
  });

  it('the walls, except where a database spec needs its support', () => {
    expect(walls({ 'libs/left/src/a.int-spec.ts': `import '../../../test/support/tools';` })).toEqual([]);
  });

  it('the walls, with the chain in the text', () => {
    expect(walls({ 'libs/ground/src/a.ts': `import { wall } from '@app/left';` })).toEqual([
      `libs/ground/src/a.ts → libs/left/src/index.ts ('@app/left'): left stands above ground`,
    ]);
  });

  it('loops, by values or types, each told by the shortest way round', () => {
    const files = {
      'libs/left/src/a.ts': `import './b'; import './c';`,
      'libs/left/src/b.ts': `import './c';`,
      'libs/left/src/c.ts': `import type { A } from './a';`,
    };
    expect(cycles(files)).toEqual([
      'libs/left/src/a.ts → libs/left/src/c.ts → libs/left/src/a.ts',
      'libs/left/src/b.ts → libs/left/src/c.ts → libs/left/src/a.ts → libs/left/src/b.ts',
    ]);
  });

  it('loops of a file with itself and across libs', () => {
    expect(cycles({ 'libs/left/src/a.ts': `import './a';` })).toEqual(['libs/left/src/a.ts → libs/left/src/a.ts']);
    expect(
      cycles({ 'libs/ground/src/stone.ts': `import { wall } from '@app/left'; export const stone = wall;` }),
    ).toEqual([expect.stringMatching(/ground\/src\/stone\.ts.* → libs\/left\/src\/wall\.ts → /)]);
  });

  it('READMEs', () => {
    const lines = (count: number): SourceTree =>
      treeOf({ 'libs/left/src/index.ts': '', 'libs/left/README.md': 'line\n'.repeat(count) });
    expect(readmeFaults(lines(30))).toEqual([]);
    expect(readmeFaults(lines(31))).toEqual(['libs/left/README.md: 31 lines, at most 30']);
    expect(readmeFaults(treeOf({ 'libs/left/src/index.ts': '' }))).toEqual(['libs/left/README.md: missing']);
  });

  it.each([
    ['libs/left/src/wall.ts', true],
    ['libs/left/src/wall.service.ts', true],
    ['libs/left/src/wall.service.spec.ts', true],
    ['libs/left/src/wall.int-spec.ts', true],
    ['apps/gateway/src/migrations/1795300000001-foundation.ts', true],
    ['libs/left/src/database.ts', true],
    ['libs/left/src/wall.types.ts', false],
    ['libs/left/src/wall.interface.ts', false],
    ['libs/left/src/wall.service.dto.ts', false],
    ['libs/left/src/wall.test.ts', false],
    ['libs/left/src/Wall.ts', false],
    ['libs/left/src/wall_paper.ts', false],
    ['libs/left/src/utils.ts', false],
    ['libs/left/src/wall-helpers.ts', false],
    ['libs/left/src/common/wall.ts', false],
    ['libs/left/src/wall-manager.service.ts', false],
  ])('names: %s may be: %s', (path, allowed) => {
    expect(nameFaults(treeOf({ [path]: '' }), suffixes)).toHaveLength(allowed ? 0 : 1);
  });

  it('sizes, counting neither blank lines nor comments', () => {
    const of = (text: string): Fault[] => sizeFaults(treeOf({ 'libs/left/src/a.ts': text }));
    const comments = '\n/** why */\n// and how\n/*\n\n*/\n'.repeat(100);
    expect(of(comments + 'a();\n'.repeat(300))).toEqual([]);
    expect(of('a();\n'.repeat(301))).toEqual(['libs/left/src/a.ts: 301 lines of code, at most 300']);
    expect(sizeFaults(treeOf({ 'libs/left/src/a.spec.ts': 'a();\n'.repeat(400) }))).toEqual([]);
    expect(codeLines('a.ts', 'const a = `\n\n// no comment\n`; /* one */\n\n}')).toBe(5);
  });

  it.each([
    `export * from './a';`,
    `export * as all from './a';`,
    `export default 1;`,
    `export { a as default } from './a';`,
    `export const a = 1;`,
    `import { a } from './a';`,
    `import './a';`,
    `export {};`,
  ])('doors: %s', (text) => {
    expect(doorFaults(treeOf({ 'libs/left/src/index.ts': text }))).toEqual([
      `libs/left/src/index.ts: not an export by name: ${text}`,
    ]);
  });

  it('doors that are missing', () => {
    expect(doorFaults(treeOf({ 'libs/left/src/a.ts': '' }))).toEqual(['libs/left/src/index.ts: missing']);
  });

  describe('classes', () => {
    const of = (text: string): Fault[] => classFaults(treeOf({ 'libs/left/src/a.service.ts': text }));
    const parameters = (count: number): string => Array.from({ length: count }, (_, i) => `private p${i}: P`).join();
    const methods = (count: number, prefix = ''): string =>
      Array.from({ length: count }, (_, i) => `${prefix}m${i}(): void {}`).join('\n');

    it('with too many dependencies', () => {
      expect(of(`class A { constructor(${parameters(5)}) {} }`)).toEqual([]);
      expect(of(`class A { constructor(${parameters(6)}) {} }`)).toEqual([
        'libs/left/src/a.service.ts: A takes 6 dependencies, at most 5',
      ]);
      expect(of(`const make = () => class { constructor(${parameters(6)}) {} };`)).toHaveLength(1);
      const elsewhere = (text: string): Fault[] => classFaults(treeOf({ 'libs/left/src/a.ts': text }));
      expect(elsewhere(`@Injectable() class A { constructor(${parameters(6)}) {} }`)).toHaveLength(1);
      expect(elsewhere(`class Value { constructor(${parameters(6)}) {} }`)).toEqual([]);
    });

    it('with too many public methods', () => {
      expect(of(`class A { ${methods(8)} }`)).toEqual([]);
      expect(of(`class A { ${methods(9)} }`)).toEqual([
        'libs/left/src/a.service.ts: A has 9 public methods, at most 8',
      ]);
      expect(of(`class A { ${methods(8)} extra = (): void => {}; }`)).toHaveLength(1);
      expect(of(`class A { ${methods(8)} static async extra() {} }`)).toHaveLength(1);
    });

    it('where overloads, what is hidden and what Nest calls are not counted', () => {
      const hidden =
        methods(9, 'private ').replaceAll('m', 'p') + methods(9, '#') + 'protected x() {} get y() { return 1; }';
      const hooks = 'onModuleInit() {} onApplicationShutdown() {} beforeApplicationShutdown() {}';
      const overloads = 'm0(a: 1): void; m0(a: 2): void;';
      expect(of(`class A { ${hidden} ${hooks} ${overloads} ${methods(8)} }`)).toEqual([]);
    });
  });
});
