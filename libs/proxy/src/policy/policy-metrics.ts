import type { Finding } from '@app/policy';
import { Counter, type Registry } from 'prom-client';

/** What rules found, by rule: not by tenant, whose rules have names of their own if somebody wants to tell them apart. */
export class PolicyMetrics {
  readonly #findings: Counter<'rule' | 'action' | 'on'>;

  constructor(registry: Registry) {
    this.#findings = new Counter({
      name: 'openclawmu_policy_findings_total',
      help: 'What rules of policies found in requests and answers, and masked or refused.',
      labelNames: ['rule', 'action', 'on'],
      registers: [registry],
    });
  }

  found(on: 'request' | 'answer', findings: readonly Finding[]): void {
    for (const { rule, action, count } of findings) this.#findings.inc({ rule, action, on }, count);
  }
}
