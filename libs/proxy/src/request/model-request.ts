import type { IncomingHttpHeaders } from 'node:http';
import type { Wire } from '../wire';

/** A model request as it came, its body unread by anybody else. */
export interface ModelRequest {
  /** `req_` and 32 hex digits. */
  readonly id: string;
  readonly wire: Wire;
  /** Path and query. */
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
}
