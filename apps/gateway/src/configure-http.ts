import { CodedError, invalidMembers, newId, validationFaults, type GatewayRequest } from '@app/platform';
import { ValidationPipe, type INestApplication } from '@nestjs/common';
import type { NextFunction, Response } from 'express';
import helmet from 'helmet';

/** Everything about HTTP that is the same for all routes; tests and the real thing share it. */
export function configureHttp(app: INestApplication): void {
  app.use(arrive);
  app.use(
    /^\/(docs|api)/,
    helmet({
      contentSecurityPolicy: {
        directives: {
          defaultSrc: ["'self'"],
          styleSrc: ["'self'", "'unsafe-inline'"],
          imgSrc: ["'self'", 'data:'],
          upgradeInsecureRequests: null,
        },
      },
    }),
  );
  app.useGlobalPipes(
    new ValidationPipe({
      whitelist: true,
      forbidNonWhitelisted: true,
      forbidUnknownValues: true,
      transform: true,
      stopAtFirstError: true,
      exceptionFactory: (errors) => invalidMembers(validationFaults(errors)),
    }),
  );
}

function arrive(request: GatewayRequest, response: Response, next: NextFunction): void {
  identify(request);
  // A model call answers with its provider's id, if there is one.
  if (request.method === 'POST' && request.url.startsWith('/v1/')) return next();
  response.setHeader('x-request-id', request.requestId);
  response.setHeader('cache-control', 'no-store');
  next();
}

/** Gives a request its id. @throws CodedError `request_malformed` for what no route is to see */
export function identify(request: GatewayRequest): void {
  request.requestId = newId('req');
  refuseMalformed(request);
}

function refuseMalformed({ url, headers, httpVersion }: GatewayRequest): void {
  if (headers.host === undefined && httpVersion === '1.1') throw malformed('The Host header is missing.');
  // An absolute address, as for a forward proxy, would also be passed on to the provider as it is.
  if (!url.startsWith('/')) throw malformed('The target is not a path.');
  // No text in the database can hold it, so no id or filter needs to be asked.
  if (url.includes('%00')) throw malformed('The target holds a NUL character.');
}

const malformed = (detail: string): CodedError =>
  new CodedError('request_malformed', detail, { headers: { connection: 'close' } });
