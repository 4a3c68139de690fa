// npm start: installs and builds what is missing, then becomes the gateway, so that signals reach it directly.
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { ensureBuilt, ensureInstalled, explain, requireNode, ROOT } from './prepare.mjs';

requireNode();
process.chdir(ROOT);
try {
  await ensureInstalled();
  await ensureBuilt();
} catch (error) {
  explain(error);
  process.exit(1);
}
await import(pathToFileURL(join(ROOT, 'dist/apps/gateway/src/main.js')).href);
