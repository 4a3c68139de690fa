import vm from 'node:vm';

/** Jest loads these tests by what they test, in the same process: `vm` is as it left it. */
let files = 0;
let filename: string;
beforeEach(() => (filename = `/a/module-${++files}.js`));
afterEach(() => jest.restoreAllMocks());

/** What is compiled from now on; a spy calls a class as a function, which this one forbids. */
function watchCompiler(): jest.SpyInstance {
  const { Script } = vm;
  return jest.spyOn(vm, 'Script').mockImplementation((code, options) => new Script(code, options));
}

const run = (source: string, globals: object, ...args: unknown[]): unknown =>
  vm.compileFunction(source, ['exports', 'jest'], { filename, parsingContext: vm.createContext(globals) })(...args);

test('a module is compiled once, and runs in the context of each file that loads it', () => {
  const compile = watchCompiler();
  const source = 'globalThis.loads = (globalThis.loads ?? 0) + 1; return [name, loads, exports, jest];';
  expect(run(source, { name: 'one' }, 1, 2)).toEqual(['one', 1, 1, 2]);
  expect(run(source, { name: 'other' }, 3, 4)).toEqual(['other', 1, 3, 4]);
  expect(compile).toHaveBeenCalledTimes(1);
});

test('one file that is transformed in two ways is two modules', () => {
  expect(['return 1', 'return 2', 'return 1'].map((source) => run(source, {}))).toEqual([1, 2, 1]);
});

test('what a module imports later is asked of the file that loaded it last', () => {
  const compile = watchCompiler();
  const asked: string[] = [];
  for (const name of ['first', 'second']) {
    const importModuleDynamically = (specifier: string) => void asked.push(`${name} ${specifier}`);
    vm.compileFunction('', [], { filename, parsingContext: vm.createContext(), importModuleDynamically } as never);
  }
  const { importModuleDynamically } = compile.mock.calls[0]?.[1] as {
    importModuleDynamically: (specifier: string) => void;
  };
  importModuleDynamically('x');
  expect(asked).toEqual(['second x']);
});

test('an error is where its source has it', () => {
  const caught = run('try { throw new Error("x") } catch (error) { return error }', {}) as Error;
  expect(caught.stack).toContain(`${filename}:1:13`);
  expect((run('"use strict";\nreturn new Error("x")', {}) as Error).stack).toContain(`${filename}:2:8`);
});

test('a source that cannot be compiled says so, each time', () => {
  for (let n = 0; n < 2; n++) expect(() => run('return }', {})).toThrow('Unexpected token');
});
