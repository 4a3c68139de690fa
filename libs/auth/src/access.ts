import 'reflect-metadata';
import {
  ADMIN_PERMISSIONS,
  AUDIENCE,
  PUBLIC,
  REQUIRES,
  TENANT_PERMISSIONS,
  type AudienceKind,
  type Permission,
} from '@app/platform';

/** What a route declared about who may call it. */
export type Access =
  | { readonly kind: 'public'; readonly reason: string }
  | { readonly kind: 'guarded'; readonly audience: AudienceKind; readonly permission: Permission }
  | { readonly kind: 'undeclared'; readonly problem: string };

type Constructor = abstract new (...parameters: never[]) => unknown;
type Handler = (...parameters: never[]) => unknown;

const PERMISSIONS: Readonly<Record<AudienceKind, ReadonlySet<string>>> = {
  admin: new Set(ADMIN_PERMISSIONS),
  tenant: new Set(TENANT_PERMISSIONS),
};

/** By handler and then controller: a handler may be inherited. Reading metadata for each request would cost more than the guards. */
const read = new WeakMap<Handler, WeakMap<Constructor, Access>>();

/** The declaration of a handler; read once, then remembered. */
export function accessOf(controller: Constructor, handler: Handler): Access {
  const known = read.get(handler)?.get(controller);
  if (known !== undefined) return known;
  const access = readAccess(controller, handler);
  const byController = read.get(handler) ?? new WeakMap<Constructor, Access>();
  read.set(handler, byController.set(controller, access));
  return access;
}

function readAccess(controller: Constructor, handler: Handler): Access {
  const reason = textOf(PUBLIC, handler);
  const permission = textOf(REQUIRES, handler);
  const audience = textOf(AUDIENCE, handler) ?? textOf(AUDIENCE, controller);
  if (reason !== undefined) {
    if (permission !== undefined) return undeclared('is both @Public and @Requires');
    if (reason.trim() === '') return undeclared('is @Public without a reason');
    return { kind: 'public', reason };
  }
  if (permission === undefined) return undeclared('has neither @Requires nor @Public');
  if (audience === undefined) return undeclared('has no @Audience');
  if (audience !== 'admin' && audience !== 'tenant') return undeclared(`has the unknown audience "${audience}"`);
  if (!PERMISSIONS[audience].has(permission))
    return undeclared(`requires "${permission}", which no key of its audience (${audience}) can have`);
  return { kind: 'guarded', audience, permission: permission as Permission };
}

const textOf = (key: string, target: object): string | undefined =>
  Reflect.getMetadata(key, target) as string | undefined;

const undeclared = (problem: string): Access => ({ kind: 'undeclared', problem });
