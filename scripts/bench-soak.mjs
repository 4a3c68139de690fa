// npm run bench:soak: watches the gateway's memory for an hour. It asserts nothing: figures depend on the machine.
import { runTool } from './run-tool.mjs';

await runTool('bench/soak.ts', 1);
