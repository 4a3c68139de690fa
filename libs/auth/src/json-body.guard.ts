import 'reflect-metadata';
import { Injectable, type CanActivate, type ExecutionContext } from '@nestjs/common';
import { BODY_LIMIT, Config, type GatewayRequest } from '@app/platform';
import { AccessGuard } from './access.guard';
import { AuthGuard } from './auth.guard';
import { readJsonBody } from './json-body';

/** More than control-plane bodies need; a route that takes files says so, and the model path has its own limit. */
const MAX_BYTES = 1_048_576;
const WITH_BODY = new Set(['POST', 'PUT', 'PATCH']);

/**
 * Reads the bodies of the control plane, last of the guards, so that a caller without a valid key cannot make the gateway
 * read anything. The model routes read theirs themselves, as bytes.
 */
@Injectable()
export class JsonBodyGuard implements CanActivate {
  constructor(
    private readonly config: Config,
    private readonly auth: AuthGuard,
    private readonly access: AccessGuard,
  ) {}

  /** @throws CodedError `media_type_unsupported`, `body_too_large`, `body_timeout`, `body_malformed`, and those of the guards before */
  canActivate(context: ExecutionContext): boolean | Promise<boolean> {
    const request = context.switchToHttp().getRequest<GatewayRequest>();
    if (!request.url.startsWith('/api/') || !WITH_BODY.has(request.method)) return true;
    const ownLimit = Reflect.getMetadata(BODY_LIMIT, context.getHandler()) as number | undefined;
    const limits = { maxBytes: ownLimit ?? MAX_BYTES, timeoutMs: this.config.current.server.bodyTimeoutMs };
    return readJsonBody(request, limits).then(async (body) => {
      request.body = body;
      // A body may take minutes. Whoever holds back the end of one must not have a key, revoked meanwhile, still do something.
      return (await this.auth.canActivate(context)) && this.access.canActivate(context);
    });
  }
}
