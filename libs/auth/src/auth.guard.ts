import { Injectable, type CanActivate, type ExecutionContext } from '@nestjs/common';
import { CodedError, Config, type GatewayRequest, type Origin } from '@app/platform';
import { claimedTenant, TokenDirectory, tokenHash, type KnownToken } from '@app/tenancy';
import { accessOf } from './access';
import { AdminKeys } from './admin-keys.service';
import { presentedKey } from './credentials';
import { adminPrincipal, tokenPrincipal } from './principals';

/** Callers of our own that may name themselves; anything else is `api`. It is a hint for the audit log, not a proof. */
const NAMED_CLIENTS: ReadonlySet<unknown> = new Set(['cli', 'swagger']);

/** Who is calling. Answers synchronously, without a promise, when the token is known in memory. */
@Injectable()
export class AuthGuard implements CanActivate {
  constructor(
    private readonly config: Config,
    private readonly adminKeys: AdminKeys,
    private readonly tokens: TokenDirectory,
  ) {}

  /** @throws CodedError `credentials_missing`, `credentials_invalid`, `tenant_suspended`, `database_unavailable` */
  canActivate(context: ExecutionContext): boolean | Promise<boolean> {
    if (accessOf(context.getClass(), context.getHandler() as () => unknown).kind === 'public') return true;
    const request = context.switchToHttp().getRequest<GatewayRequest>();
    const key = presentedKey(request.headers);
    if (key.startsWith('ak_')) return this.admitAdmin(request, key);
    const tenantId = claimedTenant(key);
    if (tenantId === null) throw new CodedError('credentials_invalid');
    const token = this.tokens.find(tenantId, tokenHash(key));
    return token instanceof Promise
      ? token.then((found) => this.admitTenant(request, found))
      : this.admitTenant(request, token);
  }

  private admitAdmin(request: GatewayRequest, key: string): boolean {
    const entry = this.adminKeys.find(key);
    if (entry === undefined) throw new CodedError('credentials_invalid');
    request.principal = adminPrincipal(entry, this.originOf(request));
    return true;
  }

  private admitTenant(request: GatewayRequest, token: KnownToken | undefined): boolean {
    if (token === undefined) throw new CodedError('credentials_invalid');
    if (token.tenantStatus !== 'active') throw new CodedError('tenant_suspended');
    request.principal = tokenPrincipal(token, this.originOf(request));
    return true;
  }

  private originOf(request: GatewayRequest): Origin {
    const client = request.headers['x-openclawmu-client'];
    const behindProxy = this.config.current.server.trustedProxies.length > 0;
    return {
      via: NAMED_CLIENTS.has(client) ? (client as string) : 'api',
      // Express works out the address behind trusted proxies; without any, the socket knows it for less.
      ip: (behindProxy ? request.ip : request.socket.remoteAddress) ?? null,
      requestId: request.requestId,
    };
  }
}
