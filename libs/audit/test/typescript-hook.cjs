// Lets a bare node process, which a test may kill, run our sources: TypeScript and the names of our libs.
const { transformFileSync } = require('@swc/core');
const Module = require('node:module');
const path = require('node:path');

const libs = path.resolve(__dirname, '../..');
const resolve = Module._resolveFilename;
Module._resolveFilename = function (request, ...rest) {
  const lib = /^@app\/([^/]+)$/.exec(request);
  return resolve.call(this, lib ? path.join(libs, lib[1], 'src/index.ts') : request, ...rest);
};
require.extensions['.ts'] = (module, file) => {
  const { code } = transformFileSync(file, {
    swcrc: false,
    module: { type: 'commonjs' },
    jsc: {
      target: 'es2022',
      keepClassNames: true,
      parser: { syntax: 'typescript', decorators: true },
      transform: { legacyDecorator: true, decoratorMetadata: true },
    },
  });
  module._compile(code, file);
};
