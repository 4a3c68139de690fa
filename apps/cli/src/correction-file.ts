import { CliError, EXIT } from './exit-code';

/** More lines than that are most likely wrong in the same way. */
const MOST_NAMED = 50;

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

/** @throws CliError that names the lines; whether the values are right is for the gateway to say */
export function readCorrections(text: string): ProposedCorrection[] {
  const faulty: number[] = [];
  const corrections = text.split('\n').flatMap((line, index) => {
    if (line.trim() === '') return [];
    const correction = parsed(line);
    if (typeof correction?.requestId === 'string' && typeof correction.reason === 'string') return [correction];
    faulty.push(index + 1);
    return [];
  });
  if (faulty.length > 0) throw new CliError(EXIT.usage, refusalOf(faulty));
  return corrections;
}

function refusalOf(lines: readonly number[]): string {
  const more = lines.length > MOST_NAMED ? ` and ${lines.length - MOST_NAMED} more` : '';
  const which = `${lines.length === 1 ? 'Line' : 'Lines'} ${lines.slice(0, MOST_NAMED).join(', ')}${more}`;
  return `${which} ${lines.length === 1 ? 'is' : 'are'} no correction: {"requestId": "req_…", "tokens": {…}, "reason": "…"}`;
}

function parsed(line: string): ProposedCorrection | undefined {
  try {
    return JSON.parse(line) as ProposedCorrection;
  } catch {
    return undefined;
  }
}
