import type { CodedError } from '@app/platform';
import type { ActivePolicy, Finding, Findings } from '@app/policy';
import type { AnswerSink } from '../answer/answer-sink';
import type { CallSummary } from '../call-metrics';
import type { ModelRequest } from '../request/model-request';
import { KeySet } from '../scan/key-set';
import { scanObject } from '../scan/request-scan';
import type { SealSignature } from '../thoughts/signed-thought';
import { familyOf } from '../thoughts/thought-family';
import type { ThoughtSealer } from '../thoughts/thought-sealer';
import { MaskingSink, NamingSink, type Onlooker } from './masking-sink';

/** Whom to tell of what rules found. */
export interface Reports {
  found(on: 'answer', findings: readonly Finding[]): void;
  refused(error: CodedError, findings: Findings): void;
}

/** The call whose answer is looked through. */
interface InspectedCall {
  /** Who answers, once that is known. */
  readonly summary: Pick<CallSummary, 'provider' | 'upstreamModel'>;
  cut(why: CodedError): void;
}

/** Where requests say that the answer is to be JSON. */
const FORMAT_KEYS = new KeySet(['response_format', 'text', 'output_config', 'output_format']);
const JSON_FORMAT = /"json_(?:schema|object)"/;

/** What a policy says of one call once its request has passed. */
export class AppliedPolicy implements Onlooker {
  #call: InspectedCall | null = null;
  #findings: Findings | null = null;

  constructor(
    private readonly policy: ActivePolicy,
    private readonly request: ModelRequest,
    /** Names of the rules that masked something in the request. */
    private readonly masked: string,
    private readonly reports: Reports,
    /** Null where no thought is to be sealed, or none can be. */
    private readonly sealer: ThoughtSealer | null,
  ) {}

  /** The most output tokens; null where only the model limits them. */
  get outputLimit(): number | null {
    return this.policy.maxOutputTokens;
  }

  /** Answers that were kept under another policy may hold what this one keeps back, or a seal that does not open any more. */
  get fingerprint(): string {
    return this.sealer ? `${this.policy.fingerprint} ${this.sealer.keyId}` : this.policy.fingerprint;
  }

  /** Whether something may be masked in answers. */
  get looksAtAnswers(): boolean {
    return this.policy.answer !== null;
  }

  /** The call is cut if its answer is refused. */
  cuts(call: InspectedCall): void {
    this.#call = call;
  }

  /** The sink as answers get to it. Vectors hold no text. @param isRestored whether thoughts were put back in the request */
  around(sink: AnswerSink, isRestored: boolean): AnswerSink {
    const { answer: scanner } = this.policy;
    const { wire } = this.request;
    if (scanner && wire !== 'embeddings') {
      const inspecting = { wire, scanner, isJson: asksJson(this.request.body), seal: this.sealing() };
      return new MaskingSink(sink, this.masked, inspecting, this, isRestored);
    }
    return this.masked === '' ? sink : new NamingSink(sink, this.masked);
  }

  over(findings: Findings): void {
    if (this.#findings) return;
    this.#findings = findings;
    this.reports.found('answer', findings.all);
  }

  refused(error: CodedError, findings: Findings): void {
    if (error.code === 'answer_refused') this.reports.refused(error, findings);
    this.#call?.cut(error);
  }

  /** Thoughts are sealed for whoever answers. */
  private sealing(): SealSignature | null {
    const { sealer } = this;
    return (
      sealer && ((thought, told) => sealer.signatureFor(familyOf((this.#call as InspectedCall).summary), thought, told))
    );
  }
}

function asksJson(body: Buffer): boolean {
  const scanned = scanObject(body, FORMAT_KEYS);
  if (!scanned.ok) return false;
  return [...scanned.object.members].some(({ valueStart, valueEnd }) =>
    JSON_FORMAT.test(body.toString('utf8', valueStart, valueEnd)),
  );
}
