import type { LoggerService } from '@nestjs/common';
import type { Log } from './log';

/** Lets Nest write through our log, so that its lines have the same form. Its chatter about mapped routes is debug to us. */
export class NestLogger implements LoggerService {
  constructor(private readonly sink: Log) {}

  log(message: unknown, context?: unknown): void {
    this.sink.debug({ context }, String(message));
  }

  warn(message: unknown, context?: unknown): void {
    this.sink.warn({ context }, String(message));
  }

  error(message: unknown, ...rest: unknown[]): void {
    this.sink.error({ err: message instanceof Error ? message : undefined, context: rest.at(-1) }, String(message));
  }
}
