#!/usr/bin/env node
// Finds the built command line tool beside this file, also through the link that "npm link" makes.
import { existsSync } from 'node:fs';
import { fileURLToPath, pathToFileURL } from 'node:url';

const main = fileURLToPath(new URL('../dist/apps/cli/src/main.js', import.meta.url));
if (existsSync(main)) await import(pathToFileURL(main).href);
else {
  process.stderr.write('openclawmu is not built yet. Run "npm start" once, or "npm install && npm run build".\n');
  process.exitCode = 1;
}
