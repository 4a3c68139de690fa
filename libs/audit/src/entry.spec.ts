import { Principal } from '@app/platform';
import { actorOf, draft, type AuditEntry } from './entry';

const entry: AuditEntry = { action: 'tenant.created', tenant: 'finance', target: { kind: 'tenant', id: 'finance' } };
const caller = (subject?: string): Principal =>
  Principal.mint({
    kind: 'tenant',
    id: 'tok_test',
    tenantId: 'finance',
    permissions: new Set(),
    origin: { via: 'api', ip: '127.0.0.1', requestId: 'req_1' },
    subject,
  });
const actor = actorOf(caller());
const membersOf = (extra: Partial<AuditEntry>): Record<string, unknown> =>
  JSON.parse(`{${draft({ ...entry, ...extra }, actor, 'req_1').members}}`) as Record<string, unknown>;

describe('draft', () => {
  it('says who did what to whom', () => {
    expect(membersOf({ after: { id: 'finance' }, reason: 'asked for' })).toEqual({
      actor: { kind: 'tenant', id: 'tok_test', via: 'api', ip: '127.0.0.1' },
      action: 'tenant.created',
      tenant: 'finance',
      target: { kind: 'tenant', id: 'finance' },
      outcome: 'done',
      requestId: 'req_1',
      before: null,
      after: { id: 'finance' },
      reason: 'asked for',
    });
  });

  it('names the person behind the token', () => {
    expect(actorOf(caller('idp|ada'))).toMatchObject({ subject: 'idp|ada' });
  });

  it('stays under 32 KiB whatever it is given', () => {
    const huge = '\u0001'.repeat(100_000);
    const { members } = draft(
      { ...entry, target: { kind: huge, id: huge }, before: { huge }, after: { huge }, reason: huge },
      { ...actor, id: huge },
      'req_1',
    );
    expect(Buffer.byteLength(members)).toBeLessThan(32_000);
  });

  it('masks a key in a target or a reason', () => {
    const key = 'tk_finance_0123456789abcdef0123456789abcdef';
    expect(JSON.stringify(membersOf({ target: { kind: 'token', id: key }, reason: `leaked ${key}` }))).not.toContain(
      key,
    );
  });
});
