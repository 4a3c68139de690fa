import type { Block } from './page';

/** A command of a `console` block and what it is said to print. */
export interface Step {
  /** Line of the page the command starts on, counted from 1. */
  readonly line: number;
  readonly command: string;
  /** Said by a comment behind the command: `# exits 5`. */
  readonly exitCode: number;
  readonly expected: readonly string[];
}

const PROMPT = '$ ';

/**
 * Reads a terminal's transcript: `$ ` begins a command, which goes on over lines that end in a backslash, through open quotes
 * and to the end of a here-document; what follows up to the next `$ ` is its output.
 * @throws Error for output before the first command, and for a command that never ends
 */
export function readTranscript({ lines, line: first }: Block): Step[] {
  const steps: Step[] = [];
  for (let at = 0; at < lines.length;) {
    const line = first + at;
    if (!lines[at]?.startsWith(PROMPT)) throw new Error(`line ${line}: a console block begins with "$ "`);
    let command = lines[at++]?.slice(PROMPT.length) ?? '';
    while (goesOn(command)) {
      if (at === lines.length) throw new Error(`line ${line}: the command does not end in this block`);
      command += `\n${lines[at++]}`;
    }
    const expected: string[] = [];
    while (at < lines.length && !lines[at]?.startsWith(PROMPT)) expected.push(lines[at++] ?? '');
    const exit = /\s+# exits (\d+)$/.exec(command);
    steps.push({
      line,
      command: exit ? command.slice(0, exit.index) : command,
      exitCode: Number(exit?.[1] ?? 0),
      expected,
    });
  }
  return steps;
}

/** Whether a shell would wait for more. */
function goesOn(command: string): boolean {
  const [head = '', ...rest] = command.split('\n');
  const marker = /<<-?\s*(['"]?)(\w+)\1/.exec(head)?.[2];
  if (marker !== undefined) return !rest.includes(marker);
  let quote: string | null = null;
  for (let at = 0; at < command.length; at++) {
    const character = command[at] as string;
    if (quote === "'") quote = character === "'" ? null : quote;
    else if (character === '\\') {
      if (at + 2 > command.length || at === command.length - 1) return true;
      at++;
    } else if (quote !== null) quote = character === quote ? null : quote;
    else if (character === "'" || character === '"') quote = character;
  }
  return quote !== null;
}
