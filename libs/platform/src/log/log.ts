import { AsyncLocalStorage } from 'node:async_hooks';
import { pino, stdTimeFunctions, type LevelWithSilent, type Logger } from 'pino';
import { maskKeys } from '../secret';

export type Log = Logger;

/** Ids for log lines only. Nothing that decides about money or access may read this. */
export interface LogContext {
  readonly requestId: string;
  readonly tenant?: string | undefined;
}

export const logContext = new AsyncLocalStorage<LogContext>();

/**
 * Structured log, one JSON object a line. `Secret` values mask themselves; error texts, which others wrote, are searched
 * for keys.
 */
export function createLog(level: LevelWithSilent, destination?: { write(line: string): void }): Log {
  const options = {
    level,
    base: { pid: process.pid },
    timestamp: stdTimeFunctions.isoTime,
    formatters: { level: (label: string) => ({ level: label }) },
    mixin: () => logContext.getStore() ?? {},
    serializers: { err: (error: unknown) => describeError(error) },
  };
  return destination ? pino(options, destination) : pino(options);
}

function describeError(error: unknown): unknown {
  if (!(error instanceof Error)) return error;
  const { name, message, stack, cause } = error;
  const code = 'code' in error ? String(error.code) : undefined;
  return {
    name,
    code,
    message: maskKeys(message),
    stack: stack && maskKeys(stack),
    ...(cause === undefined ? {} : { cause: describeError(cause) }),
  };
}
