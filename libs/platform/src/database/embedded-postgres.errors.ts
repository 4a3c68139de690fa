/** PostgreSQL cannot be run here at all: no binaries for this machine, or no way to run them without root's rights. */
export class EmbeddedPostgresUnavailable extends Error {
  override readonly name = 'EmbeddedPostgresUnavailable';

  constructor(reason: string) {
    super(`${reason} Set DATABASE_URL to an existing PostgreSQL (15 to 18) to go on without the embedded one.`);
  }
}

/** Another living process already runs PostgreSQL on this data directory. */
export class DataDirectoryInUse extends Error {
  override readonly name = 'DataDirectoryInUse';

  constructor(dataDir: string, pid: number) {
    super(
      `The data directory ${dataDir} is in use: process ${pid} runs a database on it. ` +
        'Stop that process, or give this one another data directory.',
    );
  }
}

/** The data directory (or the folder of its socket) is there, but not in a state we may or can use. */
export class DataDirectoryUnusable extends Error {
  override readonly name = 'DataDirectoryUnusable';
}

/** PostgreSQL was started, or its data directory was being made, and it gave up; the message ends with its last log lines. */
export class EmbeddedPostgresFailed extends Error {
  override readonly name = 'EmbeddedPostgresFailed';

  constructor(what: string, lastLines: readonly string[]) {
    super([`${what}. PostgreSQL said:`, ...(lastLines.length > 0 ? lastLines : ['(nothing)'])].join('\n  '));
  }
}

/** Whether an error is one of these: each says what to do, so nobody needs its stack. */
export const isEmbeddedPostgresError = (error: unknown): boolean =>
  [EmbeddedPostgresUnavailable, DataDirectoryInUse, DataDirectoryUnusable, EmbeddedPostgresFailed].some(
    (kind) => error instanceof kind,
  );
