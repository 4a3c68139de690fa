export { Audience, AUDIENCE, Public, PUBLIC, Requires, REQUIRES, type AudienceKind } from './access/access.decorator';
export {
  ADMIN_PERMISSIONS,
  ADMIN_ROLE_PERMISSIONS,
  ADMIN_ROLES,
  TENANT_PERMISSIONS,
  TENANT_ROLE_PERMISSIONS,
  TENANT_ROLES,
  type AdminPermission,
  type AdminRole,
  type Permission,
  type TenantPermission,
  type TenantRole,
} from './access/permissions';
export { JobPrincipals, Principal, type Origin, type PrincipalFields, type PrincipalKind } from './access/principal';
export { Clock, SystemClock } from './clock';
export { behindCohorts, Cohort } from './cohort';
export { sameSettings } from './config/changed-settings';
export { Config, tracesContent } from './config/config';
export { ConfigError } from './config/load-config';
export type {
  AdminKeyConfig,
  DeliveryConfig,
  EncryptionKey,
  GatewayConfig,
  PromptLogConfig,
  ProviderConfig,
  RouteConfig,
  TelemetryConfig,
  WebhookConfig,
} from './config/schema';
export { ChangeFeed, type ChangeListener } from './database/change-feed';
export { createDataSource, listen, SCHEMA, sessionSettings } from './database/connection';
export { Database } from './database/database';
export { codeOf } from './database/database-away';
export { DataDirectoryUnusable, isEmbeddedPostgresError } from './database/embedded-postgres.errors';
export { EmbeddedPostgres, type EmbeddedPostgresOptions } from './database/embedded-postgres';
export { answered, once } from './database/idempotency';
export { DatabaseUnfit, migrate, MigrationInterrupted, type MigrateOptions } from './database/migrate';
export type { Change, Tx } from './database/tx';
export { decrypt, encrypt } from './encryption';
export { ApiErrors } from './errors/api-errors.decorator';
export { ERRORS, type ErrorCode, type ErrorEntry } from './errors/catalogue';
export { CodedError, type CodedErrorOptions } from './errors/coded-error';
export { invalidField, invalidFields, MOST_FAULTS, type Fault } from './errors/invalid-field';
export { dialectOf, renderError, type Dialect, type RenderedError } from './errors/render';
export { invalidMembers, validationFaults, type ValidationFault } from './errors/validation-faults';
export { FirstInstances } from './first-instances';
export { BODY_LIMIT, BodyLimit } from './http/body-limit.decorator';
export { ApiBodyExamples } from './http/body-examples.decorator';
export { ApiIdempotent, Caller, IdempotencyKey, type GatewayRequest } from './http/caller.decorator';
export { egressOf, outboundAgent, outboundConnector, sameEgress, type Egress } from './http/outbound';
export { PageQuery } from './http/page-query.dto';
export { dashed, newId, newSecret, uuid7 } from './ids';
export { createLog, type Log } from './log/log';
export { NestLogger } from './log/nest-logger';
export { Outage } from './log/outage';
export { formatNanos, NANOS_PER_UNIT, parseNanos } from './money';
export { decodeCursor, DEFAULT_PAGE, encodeCursor, MAX_PAGE, pageOf, type Page } from './paging';
export { bestMatch, matchesPattern } from './pattern';
export { DATABASE_URL, LOG, PlatformModule, type PlatformOptions } from './platform.module';
export { maskKeys, Secret } from './secret';
export { atOnce, Turns, type Steps } from './turns';
