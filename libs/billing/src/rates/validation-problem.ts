import type { ValidationError } from 'class-validator';

/** The first thing that is wrong: the members that lead to it, and what is wrong with the last of them. */
export function validationProblem(error: ValidationError): { readonly path: string[]; readonly problem: string } {
  const path: string[] = [];
  let innermost = error;
  for (let next: ValidationError | undefined = error; next; next = next.children?.[0]) {
    innermost = next;
    path.push(next.property);
  }
  const [rule = '', text = ''] = Object.entries(innermost.constraints ?? {})[0] ?? [];
  const named = `${innermost.property} `;
  const said = text.startsWith(named) ? text.slice(named.length) : text;
  return { path, problem: rule === 'whitelistValidation' ? 'is not a known field' : said };
}
