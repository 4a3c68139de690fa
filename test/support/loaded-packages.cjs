'use strict';

/** Preloaded into a gateway: says on SIGUSR2 of which packages it has loaded files, besides its own bundle. */
process.on('SIGUSR2', () => {
  const names = Object.keys(require.cache).map((file) => /.*node_modules.((?:@[^/\\]+.)?[^/\\]+)/.exec(file)?.[1]);
  process.stdout.write(`loaded packages: ${[...new Set(names.filter(Boolean))].sort().join(' ')}\n`);
});
