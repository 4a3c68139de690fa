/** What a budget is a budget of. */
export const SCOPES = ['organisation', 'tenant', 'model', 'token', 'user'] as const;
export type Scope = (typeof SCOPES)[number];

/** Target of a budget that each token or each end user has for itself. */
export const EACH = '*';

/** Whose use is counted. */
export interface Owner {
  /** `null` for the organisation: all tenants together. */
  readonly tenantId: string | null;
  readonly scope: Scope;
  /** A model or a pattern of models, the id of the first of a line of tokens, an end user's name; empty for a whole tenant and the organisation. */
  readonly target: string;
}

export const ORGANISATION: Owner = { tenantId: null, scope: 'organisation', target: '' };

export const tenantOwner = (tenantId: string): Owner => ({ tenantId, scope: 'tenant', target: '' });

/** Distinct for distinct owners; a tenant's own is its id, because that is looked up for every request. */
export const keyOf = ({ tenantId, scope, target }: Owner): string =>
  scope === 'tenant' ? (tenantId as string) : `${tenantId ?? ''} ${scope} ${target}`;

/** What the change feed calls the owner of a budget that was changed, and all others of its tenant. */
export const feedIdOf = ({ tenantId }: Pick<Owner, 'tenantId'>): string => tenantId ?? EACH;

/** Whether every token or every end user is meant, each by itself. */
export const isEach = ({ scope, target }: Owner): boolean => target === EACH && (scope === 'token' || scope === 'user');

/** What of a call decides in which budgets it counts. */
export interface Call {
  readonly tenantId: string;
  /** The first of the line of rotations that its token is in: all of a line count as one. */
  readonly lineage: string;
  /** Public name. */
  readonly model: string;
  /** Others, of which one may answer in its place: until that is known the call counts in the budgets of all. */
  readonly otherModels?: readonly string[];
  /** The person behind the call, or else whom the caller says it acts for. */
  readonly user: string | null;
}
