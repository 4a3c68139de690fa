import { loadBundle } from './bundle';

/** The gateway as one file, which `npm run build` makes for a quick start; without it, module by module. */
const { run } =
  loadBundle<typeof import('./run')>('gateway') ??
  // eslint-disable-next-line @typescript-eslint/no-require-imports
  (require('./run') as typeof import('./run'));

run();
