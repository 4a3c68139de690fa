import { rm } from 'node:fs/promises';

/** Stops the server that `start-database.ts` started and removes its files. */
export default async function stopDatabase(): Promise<void> {
  const server = globalThis.openclawmuTestServer;
  globalThis.openclawmuTestServer = undefined;
  if (!server) return;
  await server.postgres.stop();
  await rm(server.dataDir, { recursive: true, force: true });
}
