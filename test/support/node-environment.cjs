require('./compiled-modules.cjs');
const { setFlagsFromString } = require('node:v8');
const vm = require('node:vm');
const { TestEnvironment } = require('jest-environment-node');

setFlagsFromString('--expose-gc');
const collectGarbage = vm.runInNewContext('gc');

/**
 * Jest's own environment, but with an ordinary global object for each file. Jest's stands behind a proxy, and V8 asks it
 * again for every `Object`, `Buffer` or `process` that code names: tens of times the cost, in whatever is tested and in all that it loads.
 * And with `collectGarbage`, for tests of what is kept.
 */
module.exports = class NodeEnvironment extends TestEnvironment {
  constructor(config, context) {
    const { createContext } = vm;
    vm.createContext = () => createContext(vm.constants.DONT_CONTEXTIFY);
    try {
      super(config, context);
    } finally {
      vm.createContext = createContext;
    }
    this.global.collectGarbage = collectGarbage;
  }
};
