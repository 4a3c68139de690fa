import { createParamDecorator, type ExecutionContext } from '@nestjs/common';
import { ApiHeader } from '@nestjs/swagger';
import type { Request } from 'express';
import type { Principal } from '../access/principal';

/** What the gateway's own middleware and guards leave on a request. */
export interface GatewayRequest extends Request {
  /** `req_…`, also in the response's `x-request-id`. */
  requestId: string;
  /** Set by the guard on every route that is not public. */
  principal?: Principal;
  /** Of the trace that the call is a part of, where there is one; for the log. */
  traceId?: string;
}

/** The verified caller of a route. */
export const Caller = createParamDecorator((_: unknown, context: ExecutionContext): Principal => {
  const { principal } = context.switchToHttp().getRequest<GatewayRequest>();
  if (!principal) throw new TypeError('@Caller() on a route that no guard protects');
  return principal;
});

const readIdempotencyKey = createParamDecorator((_: unknown, context: ExecutionContext): string | undefined =>
  context.switchToHttp().getRequest<GatewayRequest>().get('idempotency-key'),
);

/** The `Idempotency-Key` header of a create, for `once`. Use together with `@ApiIdempotent()`. */
export const IdempotencyKey = readIdempotencyKey;

export const ApiIdempotent = (): MethodDecorator =>
  ApiHeader({
    name: 'Idempotency-Key',
    required: false,
    description: 'A repeat within 24 hours with the same key and request gets the first answer and changes nothing.',
    schema: { type: 'string', minLength: 8, maxLength: 255 },
  });
