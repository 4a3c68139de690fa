import { ConfigError, DatabaseUnfit, isEmbeddedPostgresError, maskKeys, MigrationInterrupted } from '@app/platform';
import { TimezonesDiffer } from '@app/quota';

/** What system calls and PostgreSQL's client put on their errors. */
interface Fault extends Error {
  readonly code?: string;
  readonly syscall?: string;
  readonly address?: string;
  readonly port?: number;
  readonly path?: string;
  readonly severity?: string;
  readonly errors?: readonly Error[];
}

const LISTENING: Readonly<Record<string, string>> = {
  EADDRINUSE: 'the port is taken by another process, perhaps a gateway that runs already',
  EADDRNOTAVAIL: 'this machine has no such address',
  EACCES: 'this user may not use that port; ports below 1024 need a privilege',
};

/** What PgBouncer says of the one way in which every session is set up from its first statement on. */
const POOLER = /unsupported startup parameter/;
const POOLER_REMEDY =
  'A pooler is in between that does not pass on what each session of the gateway sets: connect to PostgreSQL directly.';

const DATABASE_REMEDY = 'Check DATABASE_URL, or database.url in the configuration.';

/** EX_CONFIG of sysexits.h: the configuration is at fault, so to start again changes nothing. */
const EX_CONFIG = 78;

export const exitCodeOf = (error: unknown): number =>
  error instanceof ConfigError || error instanceof TimezonesDiffer ? EX_CONFIG : 1;

/** Why the gateway did not start, for whoever started it: a paragraph where the world is at fault, a stack where we are. */
export function explainStartFailure(thrown: unknown): string {
  const error = thrown as Fault;
  const { code = '', syscall, address, port, path } = error;
  if (error instanceof ConfigError || error instanceof DatabaseUnfit || isEmbeddedPostgresError(error))
    return error.message;
  if (error instanceof TimezonesDiffer) return error.message;
  if (error instanceof MigrationInterrupted) return maskKeys(error.message);
  if (syscall === 'listen')
    return `The gateway cannot listen on ${address}:${port}: ${LISTENING[code] ?? error.message}. Change server.host or server.port in the configuration.`;
  if (syscall === 'connect' || syscall === 'getaddrinfo' || error.errors)
    return maskKeys(`The database cannot be reached: ${wordsOf(error)}. ${DATABASE_REMEDY}`);
  if (error.severity === 'FATAL' || (error.severity !== undefined && /^(28|3D|42501|53|57)/.test(code)))
    return maskKeys(
      `The database refused the gateway: ${error.message}. ${POOLER.test(error.message) ? POOLER_REMEDY : DATABASE_REMEDY}`,
    );
  if (path !== undefined && syscall !== undefined)
    return `A file or folder of the gateway cannot be used: ${error.message}. Check dataDir in the configuration, its owner and its rights.`;
  return error.stack ?? String(thrown);
}

/** A name with several addresses fails once for each. */
const wordsOf = ({ message, errors }: Fault): string => errors?.map((each) => each.message).join(', ') || message;
