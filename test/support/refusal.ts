import type { WireAnswer } from './wire';

/** What must never reach a caller: our files, our packages, our stack. */
const CODE =
  /node_modules|\/dist\/|\/libs\/|\/work\/|\bat \S+ \(|\.[jt]s:\d+|typeorm|nestjs|express|class-validator|undici|unexpected token|(type|syntax|range)error|undefined|\[object/i;
/** Nor our statements and what PostgreSQL says of them. */
const SQL =
  /\b(SELECT|INSERT INTO|UPDATE|DELETE FROM|WHERE)\b|syntax error|relation "|column "|violates|invalid input|openclawmu_|postgres|QueryFailed/;

/**
 * The code of a refusal, told in the dialect of its path; fails for anything that is no refusal or tells too much.
 * @param echo what was sent and may be repeated
 */
export function codeOfRefusal(path: string, { status, headers, body, text }: WireAnswer, echo?: string): string {
  const fail = (why: string): never => {
    throw new Error(`${path}: ${why}: ${text.slice(0, 600)}`);
  };
  if (!(status >= 400 && status < 500)) fail('no 4xx');
  const all = [body, ...Object.values(headers)].join('\n');
  const told = echo ? all.replaceAll(echo, '…') : all;
  const internal = CODE.exec(told) ?? SQL.exec(told);
  if (internal) fail(`tells of our insides ("${internal[0]}")`);
  if (!headers['x-request-id']) fail('no request id');
  const type = headers['content-type'] ?? '';
  const said = parse(body) ?? fail('no JSON');
  const error = (said['error'] ?? {}) as Record<string, unknown>;
  if (path.startsWith('/v1/messages')) {
    if (said['type'] !== 'error' || typeof error['type'] !== 'string' || typeof error['message'] !== 'string')
      fail("not Anthropic's shape");
  } else if (path.startsWith('/v1/')) {
    if (typeof error['type'] !== 'string' || typeof error['message'] !== 'string' || !('code' in error))
      fail("not OpenAI's shape");
  } else if (!type.startsWith('application/problem+json') || said['status'] !== status) fail('no problem document');
  const code = path.startsWith('/v1/') ? error['gateway_code'] : said['code'];
  return typeof code === 'string' ? code : fail('no code');
}

function parse(text: string): Record<string, unknown> | undefined {
  try {
    return JSON.parse(text) as Record<string, unknown>;
  } catch {
    return undefined;
  }
}
