import { Catch, HttpException, type ArgumentsHost, type ExceptionFilter } from '@nestjs/common';
import { RefusedAttempts } from '@app/audit';
import { notOffered } from '@app/proxy';
import { CodedError, dialectOf, renderError, type ErrorCode, type GatewayRequest, type Log } from '@app/platform';
import type { Response } from 'express';
import { FaultLog } from './fault-log';
import type { RefusalCounter } from './refusal-counter';

/** What Nest itself throws, nothing of it ours: its router for unknown routes, and for paths that cannot be decoded. */
const FRAMEWORK: Readonly<Record<number, ErrorCode>> = {
  400: 'request_malformed',
  404: 'route_not_found',
  405: 'method_not_allowed',
  413: 'body_too_large',
  415: 'media_type_unsupported',
};

/** A caller asked for what is not here, or came while the gateway was being stopped: no fault that somebody could mend. */
const NOBODYS_FAULT: ReadonlySet<ErrorCode> = new Set<ErrorCode>(['provider_disabled', 'draining']);
const NOT_OFFERED = 501;
/** Load balancers ask every second: its controller tells the log when it begins to fail, and when it no longer does. */
const PROBED = '/readyz';

/** Where administrators' routes are: refused calls there are recorded. */
const ADMIN_PATH = /^\/(api\/v1\/admin|metrics\/?$)/;

const DISCARD_MS = 2_000;
/** So much of a body is on its way before a refusal could stop it: it is read, and the connection stays. */
const SHORT_BODY_BYTES = 65_536;

/** The one place where an error becomes an answer, in the dialect of the path. */
@Catch()
export class ErrorFilter implements ExceptionFilter {
  readonly #faults = new FaultLog();

  constructor(
    private readonly log: Log,
    private readonly refused: RefusedAttempts,
    private readonly refusals: RefusalCounter,
  ) {}

  catch(thrown: unknown, host: ArgumentsHost): void {
    const request = host.switchToHttp().getRequest<GatewayRequest>();
    const response = host.switchToHttp().getResponse<Response>();
    const { requestId, traceId, method, path, principal, ip } = request;
    const error = codedFrom(thrown, path);
    const others = isFault(error) && path !== PROBED ? this.#faults.toTell(error.code) : null;
    if (others !== null) {
      const err = error.code === 'internal_error' ? thrown : error;
      const more = others > 0 ? { othersNotTold: others } : {};
      this.log.error({ requestId, traceId, method, path, ...error.facts, ...more, err }, 'request failed');
    }
    if (ADMIN_PATH.test(path) && [401, 403, 404].includes(error.entry.status)) {
      this.refused.record({
        principal: principal ?? null,
        ip: ip ?? null,
        requestId,
        method,
        path,
        code: error.code,
        status: error.entry.status,
      });
    }
    if (method === 'POST' && path.startsWith('/v1/')) this.refusals.refused(error);
    if (response.headersSent) {
      response.destroy();
      return;
    }
    const { status, headers, body } = renderError(error, dialectOf(path, request.headers), requestId);
    const isLate = error.code === 'body_timeout';
    if (!request.complete && (isLate || maySendLong(request))) discardRest(request, response);
    response.writeHead(status, { ...headers, 'content-length': Buffer.byteLength(body) });
    response.end(method === 'HEAD' ? undefined : body);
  }
}

/** Whether somebody should look at it: anybody with a token may ask for files or pictures as often as he likes. */
const isFault = ({ code, entry: { status } }: CodedError): boolean =>
  status >= 500 && status !== NOT_OFFERED && !NOBODYS_FAULT.has(code);

/** Whether more may follow than is worth reading. A request without a body looks unfinished for a moment, too. */
const maySendLong = ({ headers }: GatewayRequest): boolean =>
  headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > SHORT_BODY_BYTES;

/**
 * Closing a connection on which a client still sends would reset it, and the answer be lost with it. So only our half is
 * closed, and the rest of the refused body is read and thrown away, but not for long.
 */
function discardRest(request: GatewayRequest, response: Response): void {
  const { socket } = request;
  const timer = setTimeout(() => socket.destroy(), DISCARD_MS);
  socket.once('close', () => clearTimeout(timer));
  response.once('finish', () => socket.end());
  request.once('end', () => socket.destroySoon()).resume();
}

function codedFrom(thrown: unknown, path: string): CodedError {
  if (thrown instanceof CodedError) return thrown;
  if (thrown instanceof HttpException) {
    const code = FRAMEWORK[thrown.getStatus()];
    if (code) return code === 'route_not_found' ? notOffered(path) : new CodedError(code);
  }
  return new CodedError('internal_error', undefined, { cause: thrown });
}
