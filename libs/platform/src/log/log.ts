import { pino, stdTimeFunctions, type LevelWithSilent, type Logger } from 'pino';
import { maskKeys } from '../secret';

export type Log = Logger;

/**
 * Structured log, one JSON object a line. Ids of requests are given with each line: an ambient context would cost every
 * request of the process some percent of its CPU. `Secret` values mask themselves; error texts, which others wrote, are searched
 * for keys.
 */
export function createLog(level: LevelWithSilent, destination?: { write(line: string): void }): Log {
  const options = {
    level,
    base: { pid: process.pid },
    timestamp: stdTimeFunctions.isoTime,
    formatters: { level: (label: string) => ({ level: label }) },
    serializers: { err: (error: unknown) => describeError(error) },
    // The last look at a finished line: pino takes an error's words as the message too, and texts hide in other fields.
    hooks: { streamWrite: maskKeys },
  };
  return destination ? pino(options, destination) : pino(options);
}

/** How deep causes are followed; two errors can name each other as their cause. */
const MAX_CAUSES = 8;

function describeError(error: unknown, depth = 0): unknown {
  if (!(error instanceof Error)) return typeof error === 'string' ? maskKeys(error) : error;
  if (depth > MAX_CAUSES) return undefined;
  const { name, message, stack, cause } = error;
  const code = 'code' in error ? String(error.code) : undefined;
  return {
    name,
    code,
    message: maskKeys(message),
    stack: stack && maskKeys(stack),
    ...(cause === undefined ? {} : { cause: describeError(cause, depth + 1) }),
  };
}
