import { CliError, EXIT } from './exit-code';

export type StatedTokens = Readonly<Record<string, number>>;

/** A correction of one row, as a file of them has it: one JSON object a line. */
export interface ProposedCorrection {
  readonly requestId: string;
  readonly tokens?: StatedTokens | undefined;
  readonly webSearches?: number | undefined;
  readonly cost?: string | undefined;
  readonly reason: string;
}

/** One JSON object a line, so that a person can look at a file, take lines out and apply the rest. */
export const writeCorrections = (corrections: readonly ProposedCorrection[]): string =>
  corrections.map((correction) => `${JSON.stringify(correction)}\n`).join('');

/** @throws CliError that names the line; whether the values are right is for the gateway to say */
export function readCorrections(text: string): ProposedCorrection[] {
  return text.split('\n').flatMap((line, index) => {
    if (line.trim() === '') return [];
    const correction = parsed(line);
    if (typeof correction?.requestId !== 'string' || typeof correction.reason !== 'string')
      throw new CliError(
        EXIT.usage,
        `Line ${index + 1} is no correction: {"requestId": "req_…", "tokens": {…}, "reason": "…"}`,
      );
    return [correction];
  });
}

function parsed(line: string): ProposedCorrection | undefined {
  try {
    return JSON.parse(line) as ProposedCorrection;
  } catch {
    return undefined;
  }
}
