import { applyDecorators, SetMetadata } from '@nestjs/common';
import { ApiBearerAuth, ApiExtension } from '@nestjs/swagger';
import type { Permission } from './permissions';

export type AudienceKind = 'tenant' | 'admin';

export const REQUIRES = 'access:requires';
export const AUDIENCE = 'access:audience';
export const PUBLIC = 'access:public';

/** Whose keys open the routes of a controller. An admin key never opens a tenant route, nor the other way round. */
export const Audience = (audience: AudienceKind): ClassDecorator & MethodDecorator =>
  applyDecorators(SetMetadata(AUDIENCE, audience), ApiBearerAuth(audience === 'admin' ? 'adminKey' : 'tenantToken'));

/** The permission a route demands. Every route has this or `@Public`; the gateway does not start otherwise. */
export const Requires = (permission: Permission): MethodDecorator =>
  applyDecorators(SetMetadata(REQUIRES, permission), ApiExtension('x-permission', permission));

/** Opens a route to anybody; the reason is printed in the committed route table. */
export const Public = (reason: string): MethodDecorator => SetMetadata(PUBLIC, reason);
