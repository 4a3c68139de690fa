import type { KeySet } from '../scan/key-set';
import {
  type JsonObject,
  type Member,
  membersAt,
  type ScanProblem,
  type ScanReason,
  valueOf,
} from '../scan/request-scan';

const MAX_MODEL_CHARACTERS = 256;

export interface RequestProblem {
  readonly reason: ScanReason | 'missing' | 'wrong_type' | 'out_of_range';
  /** The request's field at fault, null when it is the body as a whole. */
  readonly field: string | null;
  readonly offset: number;
  /** A sentence for the caller, safe to send. */
  readonly message: string;
}

/** Typed reads of scanned members. The first problem stays; null means unset in the dialects, as absence does. */
export class Fields {
  problem: RequestProblem | null = null;

  constructor(
    private readonly body: Buffer,
    private readonly object: JsonObject,
  ) {}

  model(): string {
    const member = this.object.members.get('model');
    const model = this.read(member);
    if (model === undefined || model === null) this.fail('missing', 'model', this.object.open, 'is required.');
    else if (typeof model !== 'string') this.fail('wrong_type', 'model', member!.valueStart, 'must be a string.');
    else if (model.length === 0 || model.length > MAX_MODEL_CHARACTERS) {
      this.fail('out_of_range', 'model', member!.valueStart, `must have 1 to ${MAX_MODEL_CHARACTERS} characters.`);
    } else return model;
    return '';
  }

  flag(key: string): boolean {
    const member = this.object.members.get(key);
    const value = this.read(member);
    if (value === true) return true;
    if (value !== undefined && value !== null && value !== false) {
      this.fail('wrong_type', key, member!.valueStart, 'must be true or false.');
    }
    return false;
  }

  integer(key: string, least: number, most: number): number | null {
    const member = this.object.members.get(key);
    const value = this.read(member);
    if (value === undefined || value === null) return null;
    if (typeof value !== 'number') this.fail('wrong_type', key, member!.valueStart, 'must be a whole number.');
    else if (!Number.isInteger(value) || value < least || value > most) {
      this.fail('out_of_range', key, member!.valueStart, `must be a whole number from ${least} to ${most}.`);
    } else return value;
    return null;
  }

  /** The largest of several limits, of which 0 is none and so larger than any; null where none is given. */
  largest(keys: readonly string[], most: number): number | null {
    let largest: number | null = null;
    for (const key of keys) {
      const value = this.integer(key, 0, most);
      if (value !== null && largest !== 0 && (largest === null || value === 0 || value > largest)) largest = value;
    }
    return largest;
  }

  /** A string, or null: whatever else is there is no money matter. */
  string(key: string): string | null {
    const value = this.read(this.object.members.get(key));
    return typeof value === 'string' && value !== '' ? value : null;
  }

  innerString(outer: string, key: string, wanted: KeySet): string | null {
    const value = this.read(this.inner(outer, wanted)?.get(key));
    return typeof value === 'string' && value !== '' ? value : null;
  }

  /** A number from 0, or null: what else a provider makes of it is its own matter. */
  innerInteger(outer: string, key: string, wanted: KeySet): number | null {
    const value = this.read(this.inner(outer, wanted)?.get(key));
    return typeof value === 'number' && Number.isInteger(value) && value >= 0 ? value : null;
  }

  innerFlag(outer: string, key: string, wanted: KeySet): boolean {
    return this.read(this.inner(outer, wanted)?.get(key)) === true;
  }

  private inner(outer: string, wanted: KeySet): JsonObject['members'] | undefined {
    const member = this.object.members.get(outer);
    if (!member || this.body[member.valueStart] !== 0x7b) return undefined;
    const result = membersAt(this.body, member.valueStart, wanted);
    if (result.ok) return result.object.members;
    this.problem ??= explained(result.problem);
    return undefined;
  }

  private read(member: Member | undefined): unknown {
    return member && valueOf(this.body, member);
  }

  private fail(reason: RequestProblem['reason'], field: string, offset: number, rule: string): void {
    this.problem ??= { reason, field, offset, message: `${field} ${rule}` };
  }
}

const EXPLANATIONS: Record<ScanReason, (problem: ScanProblem) => string> = {
  empty: () => 'The request body is empty; a JSON object is expected.',
  not_an_object: () => 'The request body must be a JSON object.',
  malformed: ({ offset }) => `The request body is not valid JSON (at byte ${offset}).`,
  invalid_utf8: ({ offset }) => `The request body is not valid UTF-8 (at byte ${offset}).`,
  duplicate_key: ({ key, offset }) => `${key} is given twice (again at byte ${offset}); send it once.`,
  ambiguous_key: ({ offset }) =>
    `The key at byte ${offset} differs from a known parameter only by its letters' case; spell it in lower case.`,
  too_deep: ({ offset }) => `The request body is nested too deeply (at byte ${offset}).`,
  trailing_garbage: ({ offset }) => `The request body goes on after its JSON object (at byte ${offset}).`,
};

export function explained(problem: ScanProblem): RequestProblem {
  const { reason, offset, key } = problem;
  return { reason, field: key ?? null, offset, message: EXPLANATIONS[reason](problem) };
}
