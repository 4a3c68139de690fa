import type { Findings, Scanner } from '@app/policy';
import { CodedError } from '@app/platform';
import { isForProvider } from '../headers';
import type { ModelRequest } from '../request/model-request';

/**
 * What of a request goes to providers beside its body, looked through like it: the query, and the headers that pass.
 * @throws CodedError `prompt_refused`
 */
export function inspectLine(request: ModelRequest, scanner: Scanner, findings: Findings): ModelRequest {
  const mask = (text: string, where: string): string => {
    const masked = scanner.mask(text, findings);
    const { refusedBy: rule } = findings;
    if (rule === null) return masked;
    throw new CodedError('prompt_refused', `The rule "${rule}" of your company found something in ${where}.`, {
      details: { rule, where },
    });
  };
  const path = maskedPath(request.path, mask);
  const changed: Record<string, string> = {};
  for (const [name, value] of Object.entries(request.headers)) {
    if (typeof value !== 'string' || !isForProvider(name)) continue;
    const masked = mask(value, `the header "${name}"`);
    if (masked !== value) changed[name] = masked;
  }
  if (path === request.path && Object.keys(changed).length === 0) return request;
  return { ...request, path, headers: { ...request.headers, ...changed } };
}

function maskedPath(path: string, mask: (text: string, where: string) => string): string {
  const at = path.indexOf('?');
  if (at < 0) return path;
  const query = [...new URLSearchParams(path.slice(at))];
  const masked = query.map(([name, value]): [string, string] => [mask(name, 'the query'), mask(value, 'the query')]);
  const isSame = masked.every(([name, value], i) => query[i]?.[0] === name && query[i][1] === value);
  return isSame ? path : `${path.slice(0, at)}?${new URLSearchParams(masked).toString()}`;
}
