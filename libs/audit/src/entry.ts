import { maskKeys, type Principal } from '@app/platform';
import type { AuditAction, AuditOutcome } from './actions';
import { boundedJson } from './canonical-json';

/** What a service says about the change it makes; who made it and when is added here and in the database. */
export interface AuditEntry {
  readonly action: AuditAction;
  /** Whose affairs it concerns; `null` for the gateway's own. */
  readonly tenant: string | null;
  readonly target: { readonly kind: string; readonly id: string };
  /** Left out: `done`. */
  readonly outcome?: AuditOutcome;
  /** Views of the target around the change, never entities. Secrets are masked here all the same. */
  readonly before?: unknown;
  readonly after?: unknown;
  /** Why, in the words of whoever did it. */
  readonly reason?: string | undefined;
}

/** Who did it. `anonymous` is a caller that showed no valid key. */
export interface AuditActor {
  readonly kind: 'admin' | 'tenant' | 'job' | 'anonymous';
  readonly id: string | null;
  readonly via: string;
  readonly ip: string | null;
  readonly subject?: string;
}

/** A record with everything but what the chain adds: `seq`, `time`, `prevHash`, `hash`. */
export interface Draft {
  readonly tenant: string | null;
  readonly action: AuditAction;
  readonly actorId: string | null;
  readonly outcome: AuditOutcome;
  /** The members between `time` and `prevHash`, as JSON without the braces. */
  readonly members: string;
}

/** With escapes a character may take 6 bytes; together these keep a record under 32 KiB. */
const STATE_BYTES = 10_240;
const REASON_CHARACTERS = 1_000;
const NAME_CHARACTERS = 300;

export function actorOf({ kind, id, origin, subject }: Principal): AuditActor {
  return { kind, id, via: origin.via, ip: origin.ip, ...(subject === null ? {} : { subject }) };
}

export function draft(entry: AuditEntry, actor: AuditActor, requestId: string | null): Draft {
  const { action, tenant, target, outcome = 'done', before, after, reason } = entry;
  const members: [string, string][] = [
    ['actor', JSON.stringify(cutAll(actor))],
    ['action', JSON.stringify(action)],
    ['tenant', JSON.stringify(tenant)],
    ['target', JSON.stringify(cutAll({ kind: target.kind, id: target.id }))],
    ['outcome', JSON.stringify(outcome)],
    ['requestId', JSON.stringify(requestId)],
    ['before', boundedJson(before, STATE_BYTES)],
    ['after', boundedJson(after, STATE_BYTES)],
  ];
  if (reason !== undefined) members.push(['reason', JSON.stringify(cut(reason, REASON_CHARACTERS))]);
  return {
    tenant,
    action,
    actorId: actor.id,
    outcome,
    members: members.map(([name, json]) => `"${name}":${json}`).join(','),
  };
}

const cut = (text: string, characters: number): string => {
  const masked = maskKeys(text);
  return masked.length > characters ? `${masked.slice(0, characters)}…` : masked;
};

const cutAll = <T extends object>(texts: T): T =>
  Object.fromEntries(
    Object.entries(texts).map(([name, text]) => [name, typeof text === 'string' ? cut(text, NAME_CHARACTERS) : text]),
  ) as T;
