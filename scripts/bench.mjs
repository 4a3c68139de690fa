// npm run bench: measures what the gateway costs beside a relay without duties and a peer. It asserts nothing: figures depend on the machine.
import { runTool } from './run-tool.mjs';

await runTool('bench/speed.ts', 1);
