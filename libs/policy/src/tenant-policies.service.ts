import { Audit } from '@app/audit';
import { Clock, CodedError, Database, type Principal } from '@app/platform';
import { findTenant, holdTenant } from '@app/tenancy';
import { Injectable } from '@nestjs/common';
import { ActivePolicy, together } from './active-policy';
import { checkedPolicy } from './check-policy';
import type { OwnPolicyView, PolicyTestView, PolicyView, SetPolicy, TestPolicy } from './policy.dto';
import type { PolicyContent } from './rule';
import { Findings } from './scan/findings';
import {
  deletePolicy,
  lockOrganisationPolicy,
  readPolicies,
  readPolicy,
  savePolicy,
  type PolicyRow,
} from './tenant-policies.queries';

/** Policies as administrators set them; in force in every gateway process within a second. */
@Injectable()
export class TenantPolicies {
  constructor(
    private readonly database: Database,
    private readonly clock: Clock,
    private readonly audit: Audit,
  ) {}

  /** @param tenantId `null` for the policy of all tenants @throws CodedError `tenant_not_found`, `policy_not_found` */
  show(principal: Principal, tenantId: string | null): Promise<PolicyView> {
    return this.database.platform(principal, async (tx) => {
      if (tenantId !== null) await findTenant(tx, tenantId);
      const row = await readPolicy(tx, tenantId);
      if (!row) throw new CodedError('policy_not_found');
      return viewOf(row);
    });
  }

  /** What holds for the caller's tenant. */
  async showOwn(principal: Principal): Promise<OwnPolicyView> {
    const rows = await this.database.tenant(principal, readPolicies);
    return ownView(inForce(rows, principal.tenantId));
  }

  /**
   * @param tenantId `null` for the policy of all tenants
   * @throws CodedError `tenant_not_found`, `tenant_state`, `validation_failed`
   */
  async set(principal: Principal, tenantId: string | null, dto: SetPolicy): Promise<PolicyView> {
    const content = checkedPolicy(dto);
    return this.database.platform(principal, async (tx) => {
      if (tenantId === null) await lockOrganisationPolicy(tx);
      else await holdTenant(tx, tenantId);
      const before = await readPolicy(tx, tenantId);
      const after: PolicyRow = { tenantId, content, updatedAt: this.clock.now() };
      await savePolicy(tx, tenantId, content, after.updatedAt);
      await this.audit.record(tx, {
        action: 'policy.set',
        ...subjectOf(tenantId),
        before: before ? viewOf(before) : undefined,
        after: viewOf(after),
      });
      tx.announce('policy', tenantId ?? '');
      return viewOf(after);
    });
  }

  /** @param tenantId `null` for the policy of all tenants @throws CodedError `tenant_not_found`, `policy_not_found` */
  remove(principal: Principal, tenantId: string | null): Promise<void> {
    return this.database.platform(principal, async (tx) => {
      if (tenantId === null) await lockOrganisationPolicy(tx);
      else await findTenant(tx, tenantId);
      const before = await readPolicy(tx, tenantId);
      if (!before) throw new CodedError('policy_not_found');
      await deletePolicy(tx, tenantId);
      await this.audit.record(tx, { action: 'policy.removed', ...subjectOf(tenantId), before: viewOf(before) });
      tx.announce('policy', tenantId ?? '');
    });
  }

  /**
   * Looks a text through, and calls no model. That it was done is recorded; the text is not.
   * @throws CodedError `tenant_not_found`, `validation_failed`
   */
  async test(principal: Principal, { tenant, policy, on = 'request', text }: TestPolicy): Promise<PolicyTestView> {
    const given = policy && checkedPolicy(policy);
    const tenantId = tenant ?? null;
    const { content } = await this.database.platform(principal, async (tx) => {
      if (tenantId !== null) await findTenant(tx, tenantId);
      const rows = await readPolicies(tx);
      const replaced = rows.filter((row) => !given || row.tenantId !== tenantId);
      if (given) replaced.push({ tenantId, content: given, updatedAt: this.clock.now() });
      const target = { kind: 'policy', id: tenantId ?? 'organisation' };
      const after = { on, characters: text.length, isGiven: given !== undefined };
      await this.audit.record(tx, { action: 'policy.tested', tenant: tenantId, target, after });
      return { content: inForce(replaced, tenantId) };
    });
    const findings = new Findings();
    const active = new ActivePolicy(content);
    const masked = (on === 'request' ? active.request : active.answer)?.mask(text, findings) ?? text;
    const refused = findings.refusedBy !== null;
    return { refused, findings: [...findings.all], text: refused ? null : masked };
  }
}

const NONE: PolicyContent = { maxOutputTokens: null, requiredHeaders: [], rules: [], uninspectable: 'refuse' };

/** What holds for a tenant, of all policies that are set. */
export function inForce(rows: readonly PolicyRow[], tenantId: string | null): PolicyContent {
  const all = rows.find((row) => row.tenantId === null)?.content;
  const own = tenantId === null ? undefined : rows.find((row) => row.tenantId === tenantId)?.content;
  return all && own ? together(all, own) : (own ?? all ?? NONE);
}

const subjectOf = (tenantId: string | null) => ({
  tenant: tenantId,
  target: { kind: 'policy', id: tenantId ?? 'organisation' },
});

const copyOf = ({ maxOutputTokens, requiredHeaders, rules, uninspectable }: PolicyContent) => ({
  maxOutputTokens,
  requiredHeaders: requiredHeaders as PolicyView['requiredHeaders'],
  rules: rules as PolicyView['rules'],
  uninspectable,
});

const viewOf = ({ content, updatedAt }: PolicyRow): PolicyView => ({
  ...copyOf(content),
  updatedAt: updatedAt.toISOString(),
});

const ownView = (content: PolicyContent): OwnPolicyView => ({
  ...copyOf(content),
  rules: content.rules.map(({ name, action, on, detect, pattern }) => ({
    ...{ name, action, on },
    detect: detect ? [...detect] : [pattern === undefined ? 'words' : 'pattern'],
  })),
});
