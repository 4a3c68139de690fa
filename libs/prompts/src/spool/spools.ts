import { join } from 'node:path';

/** The gateway processes on the database, as whoever keeps them knows them. */
export interface GatewayProcesses {
  /** Of this one. */
  readonly id: string;
  /** Whether it has ended, and its affairs are settled. @throws CodedError `database_unavailable` */
  hasEnded(id: string): Promise<boolean>;
}

/** Where each process on this machine has its notes, in a folder named by its id. */
export const spoolsIn = (dataDir: string): string => join(dataDir, 'prompts');
