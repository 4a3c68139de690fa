const vm = require('node:vm');

/**
 * Jest loads every module anew for every test file, and has it compiled anew, although a worker runs dozens of files that load
 * the same thousand modules. A script, other than a function, belongs to no context: here each module is compiled once for a
 * worker and run in the context of whichever file loads it, so that files still share nothing but bytecode.
 */
const { compileFunction } = vm;
/** File name → what was compiled → script: two projects may transform one file in two ways. */
const compiled = new Map();

vm.compileFunction = (source, parameters = [], options = {}) => {
  const { filename, parsingContext, importModuleDynamically } = options;
  if (filename === undefined || parsingContext === undefined) return compileFunction(source, parameters, options);
  // On the line of the source's first one, so that errors name the lines that there are.
  const head = `(function (${parameters.join(', ')}) {`;
  const text = `${head}${source}\n})`;
  const modules = compiled.get(filename) ?? new Map();
  compiled.set(filename, modules);
  const module = modules.get(text) ?? compile(text, filename, -head.length);
  modules.set(text, module);
  module.load = importModuleDynamically;
  return module.script.runInContext(parsingContext);
};

function compile(text, filename, columnOffset) {
  const module = {};
  // What it imports later is asked of the file that runs now: those before it have ended, with all they loaded.
  const importModuleDynamically = (...args) => module.load(...args);
  module.script = new vm.Script(text, { filename, columnOffset, importModuleDynamically });
  return module;
}
