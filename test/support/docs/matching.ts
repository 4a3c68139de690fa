/** What differs from run to run, and the word that stands for it on both sides of a comparison. In this order. */
const VARYING: readonly (readonly [pattern: RegExp, placeholder: string])[] = [
  [/\b[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\b/g, '<uuid>'],
  [/\b[0-9a-f]{64}\b/g, '<hash>'],
  [/(?<![0-9a-f])[0-9a-f]{32}(?![0-9a-f])/g, '<id>'],
  [/(?<="keyId":")[0-9a-f]{16}/g, '<key id>'],
  [/(?<="hint":")[0-9a-f]{4}/g, '<hint>'],
  [/[A-Za-z0-9+/]{86}==/g, '<signature>'],
  [/\b\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z/g, '<time>'],
  [/\b[A-Z][a-z]{2}, \d\d [A-Z][a-z]{2} \d{4} \d\d:\d\d:\d\d GMT/g, '<time>'],
  [/\b20\d\d-\d\d-\d\d\b/g, '<day>'],
  [/\b20\d\d-(0[1-9]|1[0-2])\b/g, '<month>'],
  [/(?<="nextCursor":")[\w-]+/g, '<cursor>'],
  [/(?<="created":)\d{10}/g, '<second>'],
  [/(?<=retry-after: )\d+/gi, '<seconds>'],
  [/(?<=^checkpoints +)\d+/gm, '<number>'],
  [/(?<="(pid|checkpoints|bytes)":)\d+/g, '<number>'],
];

/** Stands for any lines when it is alone on its line, for any text inside of one. */
const ANYTHING = '…';

export function normalise(text: string): string {
  return VARYING.reduce((result, [pattern, placeholder]) => result.replace(pattern, placeholder), text);
}

const tidy = (lines: readonly string[]): string[] => {
  const result = normalise(lines.map((line) => line.trimEnd()).join('\n')).split('\n');
  while (result.at(-1) === '') result.pop();
  return result;
};

/** `null` if the output is as the page says, else both side by side for whoever has to repair one of them. */
export function difference(expected: readonly string[], actual: readonly string[]): string | null {
  const [said, printed] = [tidy(expected), tidy(actual)];
  if (matches(said, printed)) return null;
  const parting = said.findIndex((line, n) => line === ANYTHING || !matchesLine(line, printed[n] ?? null));
  const common = parting < 0 ? said.length : parting;
  return [
    ...said.slice(0, common).map((line) => `    ${line}`),
    ...said.slice(common).map((line) => `  - ${line}`),
    ...printed.slice(common).map((line) => `  + ${line}`),
  ].join('\n');
}

function matches(said: readonly string[], printed: readonly string[]): boolean {
  const [first, ...rest] = said;
  if (first === undefined) return printed.length === 0;
  if (first === ANYTHING) {
    for (let skipped = 0; skipped <= printed.length; skipped++) if (matches(rest, printed.slice(skipped))) return true;
    return false;
  }
  return matchesLine(first, printed[0] ?? null) && matches(rest, printed.slice(1));
}

function matchesLine(said: string, printed: string | null): boolean {
  if (printed === null) return false;
  if (!said.includes(ANYTHING)) return said === printed;
  const pattern = said
    .split(ANYTHING)
    .map((text) => text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'))
    .join('.*');
  return new RegExp(`^${pattern}$`).test(printed);
}
