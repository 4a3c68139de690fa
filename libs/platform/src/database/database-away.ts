/**
 * SQLSTATE classes that mean "no database" and not "wrong statement", so that another attempt may not meet them: lost connections (08),
 * a standby that takes no writes before it is promoted (25006), a transaction or a lock that took too long (25P03, 25P04, 55P03), a login
 * that is refused (28), a database that is not there (3D), lost transactions (40), no resources (53), an operator at work (57), and a
 * server whose own files fail it (58).
 */
const UNAVAILABLE = /^(08|25006|25P0[34]|28|3D|40|53|55P03|57|58)/;

/** The same of system calls: nobody answers, no way there, or nothing left here to ask with. */
const UNREACHABLE =
  /^(ECONN(REFUSED|RESET|ABORTED)|E(HOST|NET)(UNREACH|DOWN)|EADDRNOTAVAIL|ENOENT|EPIPE|ETIMEDOUT|EAI_AGAIN|ENOTFOUND|EMFILE|ENFILE)$/;

/** What the client itself says, without any code. */
const IN_WORDS =
  /Connection terminated|not queryable|timeout exceeded when trying to connect|^timeout expired|Query read timeout/;

interface Said {
  readonly code?: string;
  readonly severity?: string;
  /** Where TypeORM has wrapped it. */
  readonly driverError?: Said;
}

/** The SQLSTATE of PostgreSQL, or the code of a system call; empty for none. */
export const codeOf = (error: unknown): string => {
  const { code, driverError } = error as Said;
  return driverError?.code ?? code ?? '';
};

/** Whatever the server ends a session with, or does not let it begin with, no statement is the cause. */
const endsSession = ({ severity, driverError }: Said): boolean => (driverError?.severity ?? severity) === 'FATAL';

/** Whether the database, or the way to it, is why something failed. */
export const isDatabaseAway = (error: unknown): boolean => {
  const code = codeOf(error);
  return (
    UNAVAILABLE.test(code) ||
    UNREACHABLE.test(code) ||
    endsSession(error as Said) ||
    IN_WORDS.test(String((error as Error).message))
  );
};
