/**
 * SQLSTATE classes and driver codes that mean "no database" and not "wrong statement", so that another attempt may not meet them:
 * lost connections (08), lost transactions (40), no resources (53), an operator at work (57), and a standby that takes no writes before
 * it is promoted (25006).
 */
const UNAVAILABLE = /^(08|25006|40|53|57)|^(ECONNREFUSED|ECONNRESET|ENOENT|EPIPE|ETIMEDOUT|EAI_AGAIN|ENOTFOUND)$/;

/** The SQLSTATE of PostgreSQL, or the code of a system call; empty for none. */
export const codeOf = (error: unknown): string => {
  const { code, driverError } = error as { code?: string; driverError?: { code?: string } };
  return driverError?.code ?? code ?? '';
};

/** Whether the database, or the way to it, is why something failed. */
export const isDatabaseAway = (error: unknown): boolean =>
  UNAVAILABLE.test(codeOf(error)) ||
  /Connection terminated|not queryable|timeout exceeded when trying to connect/.test(String((error as Error).message));
