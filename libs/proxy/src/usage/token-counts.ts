import { totalTokens, type Usage } from '@app/billing';

export type { TokenCounts, Usage } from '@app/billing';

/** Why a provider's usage was not taken. Nothing is guessed from it: the caller keeps the hold's worst case. */
export interface UsageProblem {
  readonly reason:
    'missing' | 'unreadable' | 'not_a_count' | 'too_large' | 'subset_exceeds_whole' | 'inconsistent' | 'unpriced_class';
  /** The provider's name of the number at fault, as a path inside its usage. */
  readonly field: string;
}

export type UsageResult =
  { readonly ok: true; readonly usage: Usage } | { readonly ok: false; readonly problem: UsageProblem };

/** Far above any context window; more is a unit error or an overflow, and still exact in a double when summed. */
export const MAX_TOKENS = 2 ** 40;

export type Json = Readonly<Record<string, unknown>>;

export const isObject = (value: unknown): value is Json =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

export const refused = (reason: UsageProblem['reason'], field: string): UsageResult => ({
  ok: false,
  problem: { reason, field },
});

/** Zeros throughout: no call is answered without a token of input, unless a provider refused it and does not bill that. */
export const saysNothing = ({ counts, webSearches }: Usage): boolean => webSearches === 0 && totalTokens(counts) === 0;

/** No output of any class. */
export const writesNothing = ({ counts: { output, audioOutput, reasoning } }: Usage): boolean =>
  output + audioOutput + reasoning === 0;

const namesByPath = new Map<string, readonly string[]>();

/** Paths are few and asked for with every answer. */
function namesIn(path: string): readonly string[] {
  let names = namesByPath.get(path);
  if (names === undefined) namesByPath.set(path, (names = path.split('.')));
  return names;
}

/** Reads counts of a usage object by path, and remembers the first that is none. */
export class CountReader {
  problem: UsageProblem | null = null;

  constructor(private readonly usage: Json) {}

  /** A count that has to be there. */
  required(field: string): number {
    const count = this.optional(field);
    if (count === null) this.problem ??= { reason: 'missing', field };
    return count ?? 0;
  }

  /** The first count that is there under one of these names: no provider has two that say the same. */
  first(paths: readonly string[]): number | null {
    for (const path of paths) {
      const count = this.optional(path);
      if (count !== null) return count;
    }
    return null;
  }

  /** A count, or null where the provider says nothing. `a.b` is member `b` of object `a`. */
  optional(path: string): number | null {
    let value: unknown = this.usage;
    for (const name of namesIn(path)) {
      if (value === null || value === undefined) return null;
      if (!isObject(value)) {
        this.problem ??= { reason: 'unreadable', field: path };
        return null;
      }
      value = Object.hasOwn(value, name) ? value[name] : undefined;
    }
    if (value === null || value === undefined) return null;
    if (typeof value !== 'number' || !Number.isInteger(value) || value < 0) {
      this.problem ??= { reason: 'not_a_count', field: path };
      return null;
    }
    if (value > MAX_TOKENS) this.problem ??= { reason: 'too_large', field: path };
    return value;
  }
}
