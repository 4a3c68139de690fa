import { RefusedAttempts } from '@app/audit';
import { CodedError, Config, type ErrorCode, invalidField, type Principal, type Steps, Turns } from '@app/platform';
import { Findings, KnownPolicies, type ActivePolicy } from '@app/policy';
import { Injectable } from '@nestjs/common';
import type { ModelRequest } from '../request/model-request';
import type { RequestFacts } from '../request/request-facts';
import { readRequest } from '../request/request-reader';
import { sealerOf } from '../thoughts/thought-sealer';
import { AppliedPolicy, type Reports } from './applied-policy';
import { PolicyMetrics } from './policy-metrics';
import { refusedCall } from './refused-call';
import { inspectRequest } from './request-inspection';
import { inspectLine } from './request-line';

/** A request as it may go on. */
export interface Admitted {
  readonly request: ModelRequest;
  readonly facts: RequestFacts;
  /** What still holds for its answer; null for a tenant without a policy. */
  readonly policy: AppliedPolicy | null;
}

/** What a tenant's policy says of a request. Whatever goes to a model passes here, also to have its tokens counted. */
@Injectable()
export class PolicyDoor {
  readonly #turns = new Turns();

  constructor(
    private readonly policies: KnownPolicies,
    private readonly refused: RefusedAttempts,
    private readonly metrics: PolicyMetrics,
    private readonly config: Config,
  ) {}

  /**
   * At once, unless rules have a long text to look through: that is done in turns with other tenants.
   * @throws CodedError `body_malformed`, `validation_failed`, `feature_not_supported`, `header_required`, `prompt_refused`,
   *   `prompt_uninspectable`; the last three are recorded
   */
  admit(principal: Principal, request: ModelRequest): Admitted | Promise<Admitted> {
    const facts = readRequest(request.wire, request.body);
    const policy = this.policies.of(principal.tenantId as string);
    if (policy === undefined) return { request, facts, policy: null };
    return this.#turns.run(principal.tenantId as string, this.applied(policy, principal, request, facts));
  }

  private *applied(
    policy: ActivePolicy,
    principal: Principal,
    request: ModelRequest,
    facts: RequestFacts,
  ): Steps<Admitted> {
    const findings = new Findings();
    try {
      checkHeaders(policy, request);
      checkLimit(policy, facts);
      const admitted = yield* inspected(policy, request, facts, findings);
      const reports: Reports = {
        found: (on, all) => this.metrics.found(on, all),
        refused: (error, all) => this.refused.record(refusedCall(principal, request, error, all)),
      };
      const sealer = policy.answer && sealerOf(this.config.current.thoughts, principal.tenantId as string);
      return { ...admitted, policy: new AppliedPolicy(policy, admitted.request, findings.masked, reports, sealer) };
    } catch (error) {
      if (error instanceof CodedError && RECORDED.has(error.code))
        this.refused.record(refusedCall(principal, request, error, findings));
      throw error;
    } finally {
      this.metrics.found('request', findings.all);
    }
  }
}

/** What a security reviewer wants to see: a policy was in the way. */
const RECORDED: ReadonlySet<string> = new Set([
  'header_required',
  'prompt_refused',
  'prompt_uninspectable',
] satisfies ErrorCode[]);

function checkHeaders(policy: ActivePolicy, { headers }: ModelRequest): void {
  for (const { name, wanted, accepts } of policy.headers) {
    const value = headers[name];
    const text = typeof value === 'string' ? value : (value?.join(', ') ?? '');
    if (text !== '' && accepts(text)) continue;
    const problem = value === undefined ? 'is missing' : 'has another value';
    throw new CodedError('header_required', `The header "${name}" ${problem}; ${wanted} is required.`, {
      details: { header: name, wanted },
    });
  }
}

/** A provider refuses an output limit that leaves nothing beside what is set aside for thinking. */
function checkLimit({ maxOutputTokens }: ActivePolicy, { thinkingTokens }: RequestFacts): void {
  if (maxOutputTokens === null || thinkingTokens < maxOutputTokens) return;
  throw invalidField('thinking.budget_tokens', `must be below ${maxOutputTokens}, the output limit of your company`);
}

function* inspected(
  { request: scanner, answer, allowsUninspectable }: ActivePolicy,
  request: ModelRequest,
  facts: RequestFacts,
  findings: Findings,
): Steps<Omit<Admitted, 'policy'>> {
  if (answer && facts.speaks)
    throw new CodedError('prompt_uninspectable', 'The rules of your company cannot listen to spoken answers.');
  if (!scanner) return { request, facts };
  const line = inspectLine(request, scanner, findings);
  const body = yield* inspectRequest(request.body, facts, scanner, allowsUninspectable, findings);
  if (body === request.body) return { request: line, facts };
  // Whose call it is stays known here: budgets and the bill go by it, and no model reads it.
  const { endUser } = facts;
  return { request: { ...line, body }, facts: { ...readRequest(request.wire, body), endUser } };
}
