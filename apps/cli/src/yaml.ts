/** Loaded when needed: it is twice the size of all else that a command starts with. */
const yaml = (): typeof import('yaml') =>
  // eslint-disable-next-line @typescript-eslint/no-require-imports
  require('yaml') as typeof import('yaml');

/** For people to read and change, so no line is folded. */
export const toYaml = (content: unknown): string => yaml().stringify(content, { lineWidth: 0 });

/** @throws Error that names the line */
export const fromYaml = (text: string): unknown => yaml().parse(text) as unknown;
