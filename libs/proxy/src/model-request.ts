import type { IncomingHttpHeaders } from 'node:http';
import type { Dialect, Task } from './request-facts';

/** A model request as it came, its body unread by anybody else. */
export interface ModelRequest {
  /** `req_` and 32 hex digits. */
  readonly id: string;
  readonly dialect: Dialect;
  readonly task: Task;
  /** Path and query. */
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
}
