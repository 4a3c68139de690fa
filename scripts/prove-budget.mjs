// npm run prove:budget: tries to pass a budget in every way we know. Exit code 0: it could not; 1: it could, and says how; 2: it
// could not be tried. See docs/failures.md.
import { runTool } from './run-tool.mjs';

await runTool('proof/main.ts', 2);
