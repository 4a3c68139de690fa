import { createServer, IncomingMessage, ServerResponse, type Server } from 'node:http';
import { FirstInstances, type GatewayConfig, type GatewayRequest } from '@app/platform';
import { ExpressAdapter } from '@nestjs/platform-express';
import express, { type Express, type Response } from 'express';
import { answerClientError } from './client-error';
import type { ModelDoor } from './model-door';
import { closeWithConnection } from './pipelining';

/**
 * Express gives every request and response another prototype with `setPrototypeOf`, and from then on V8 treats these two
 * objects as odd ones: everything node:http does with them costs several times more. A server that makes them with the
 * right prototype in the first place turns that call into a no-op and halves the CPU of a relayed request.
 */
function serverClasses(app: Express): {
  IncomingMessage: typeof IncomingMessage;
  ServerResponse: typeof ServerResponse;
} {
  function Request(this: IncomingMessage, socket: unknown): void {
    IncomingMessage.call(this, socket as never);
  }
  function Response(this: ServerResponse, request: unknown, options: unknown): void {
    (ServerResponse as unknown as (this: ServerResponse, request: unknown, options: unknown) => void).call(
      this,
      request,
      options,
    );
  }
  // V8 sizes an object by its chain of constructors. Without it the dozens of members that node:http gives to these two
  // would not find their place in the object, and it would be turned into a dictionary.
  Object.setPrototypeOf(Request, IncomingMessage);
  Object.setPrototypeOf(Response, ServerResponse);
  Request.prototype = app.request;
  Response.prototype = app.response;
  return { IncomingMessage: Request, ServerResponse: Response } as never;
}

/** How late, at most, an unfinished request is noticed. */
const MAX_CHECK_MS = 5_000;

/** Nest on Express with our own HTTP server: its limits come from the configuration. */
export class GatewayHttpAdapter extends ExpressAdapter {
  /** Asked before Express, once there is one. */
  door: ModelDoor | null = null;

  constructor(private readonly settings: GatewayConfig['server']) {
    const app = express();
    app.disable('x-powered-by');
    app.disable('etag');
    // Two spellings of a path must not be one route in here and another for what decides by the path.
    app.enable('case sensitive routing');
    app.set('query parser', 'simple');
    app.set('trust proxy', settings.trustedProxies.length > 0 ? settings.trustedProxies : false);
    super(app);
  }

  override initHttpServer(): void {
    const app = this.getInstance<Express>();
    const { headerLimitBytes, headersTimeoutMs, bodyTimeoutMs } = this.settings;
    const firsts = new FirstInstances();
    const server: Server = createServer(
      {
        ...serverClasses(app),
        noDelay: true,
        keepAliveTimeout: 65_000,
        maxHeaderSize: headerLimitBytes,
        headersTimeout: headersTimeoutMs,
        requestTimeout: headersTimeoutMs + bodyTimeoutMs,
        connectionsCheckingInterval: Math.min(headersTimeoutMs, MAX_CHECK_MS),
        // Refused in our own words, see configure-http.ts.
        requireHostHeader: false,
        // Else the first of two keys would count here, and perhaps the last in what stands before the gateway.
        joinDuplicateHeaders: true,
      },
      (request, response) => {
        firsts.keep(response);
        closeWithConnection(request, response);
        if (!this.door?.answer(request as GatewayRequest, response as Response)) app(request, response);
      },
    );
    server.on('clientError', answerClientError);
    this.httpServer = server;
  }
}
