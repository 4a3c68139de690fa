import type { CodedError } from '@app/platform';
import { tenantPrincipal } from '../../../test/support/principals';
import type { AssembledQuota } from '../src/assemble';
import type { Hold } from '../src/hold';
import type { BudgetKey } from '../src/budget.dto';
import { nanos } from './gateways';
import { actual, draftOf } from './test-ledger';

/** Who calls, and what. */
export interface TestCall {
  readonly tenant: string;
  readonly token?: string;
  /** The first of the token's line of rotations; itself if left out. */
  readonly lineage?: string;
  readonly model?: string;
  readonly user?: string | null;
}

const factsOf = ({ token = 'tok_1', model = 'm', user = null }: TestCall) => ({ tokenId: token, model, subject: user });

/** Holds so much money, and so many tokens, for a call. */
export const reserve = (gateway: AssembledQuota, call: TestCall, units: string, tokens = 0): Promise<Hold> =>
  gateway.holds.reserve(
    tenantPrincipal(call.tenant),
    { costNanos: nanos(units), tokens },
    draftOf(call.tenant, tokens, factsOf(call), call.lineage),
  );

export const settle = (hold: Hold, units: string, tokens = 0): Promise<void> =>
  hold.settle({ costNanos: nanos(units), tokens, row: actual(tokens) });

/** Why a call was refused. */
export async function refusal(hold: Promise<Hold>): Promise<CodedError> {
  const error = await hold.then(
    () => new Error('it was let through'),
    (reason: unknown) => reason,
  );
  if ((error as { code?: unknown }).code !== 'budget_exceeded') throw error;
  return error as CodedError;
}

export const MONTH = { metric: 'cost', period: 'month' } as const satisfies BudgetKey;
export const DAY_TOKENS = { metric: 'tokens', period: 'day' } as const satisfies BudgetKey;
