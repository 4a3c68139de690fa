// npm run bench:ledger: measures what money costs. It asserts nothing: figures depend on the machine.
import { runTool } from './run-tool.mjs';

await runTool('bench/ledger.ts', 1);
