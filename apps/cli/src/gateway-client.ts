import { CliError, EXIT, exitCodeOf } from './exit-code';
import { printable } from './table';

export type Query = Readonly<Record<string, string | number | undefined>>;

interface Page<Item> {
  readonly items: Item[];
  readonly nextCursor: string | null;
}

/** RFC 9457, as the gateway answers errors. */
interface Problem {
  readonly detail?: string;
  readonly title?: string;
  readonly code?: string;
  readonly requestId?: string;
  readonly fields?: readonly { readonly field: string; readonly problem: string }[];
  /** How many more are wrong than `fields` names. */
  readonly moreFields?: number;
}

const LOOPBACK = /^(localhost|127(\.\d{1,3}){3}|\[::1\])$/;
/** Each answer of the control plane has one, unless a proxy has put its own in its place. */
const REQUEST_ID = /^req_[0-9a-f]{32}$/;
const TIMEOUT_MS = 120_000;
const PAGE = 200;

/** Calls the control plane. Every failure becomes a `CliError` that says what to do. */
export class GatewayClient {
  private warned = false;
  private answersLikeOurs = true;

  constructor(
    private readonly baseUrl: string,
    private readonly adminKey: string | undefined,
    private readonly warn: (text: string) => void,
  ) {}

  /** Why an answer could not be made sense of, if it was another server's: that may well have something at the same path. */
  get misunderstanding(): CliError | null {
    return this.answersLikeOurs ? null : this.stranger();
  }

  get<T>(path: string, query?: Query): Promise<T> {
    return this.json<T>('GET', path, query);
  }

  post<T>(path: string, body: unknown = {}): Promise<T> {
    return this.json<T>('POST', path, undefined, body);
  }

  put<T>(path: string, body: unknown): Promise<T> {
    return this.json<T>('PUT', path, undefined, body);
  }

  patch<T>(path: string, body: unknown): Promise<T> {
    return this.json<T>('PATCH', path, undefined, body);
  }

  delete<T>(path: string, query?: Query): Promise<T> {
    return this.json<T>('DELETE', path, query);
  }

  /** All items of a listing, page by page. */
  async all<Item>(path: string, query: Query = {}): Promise<Item[]> {
    const items: Item[] = [];
    for (let cursor: string | undefined; ;) {
      const page: Page<Item> = await this.get(path, { limit: PAGE, ...query, cursor });
      items.push(...page.items);
      if (page.nextCursor === null) return items;
      cursor = page.nextCursor;
    }
  }

  /** A body as it comes, for downloads; takes as long as it takes. */
  async download(path: string, query: Query): Promise<{ headers: Headers; body: AsyncIterable<Uint8Array> }> {
    const response = await this.send('GET', path, query);
    return { headers: response.headers, body: response.body as unknown as AsyncIterable<Uint8Array> };
  }

  private async json<T>(method: string, path: string, query?: Query, body?: unknown): Promise<T> {
    const response = await this.send(method, path, query, body, AbortSignal.timeout(TIMEOUT_MS));
    const text = await response.text();
    try {
      return (text === '' ? undefined : JSON.parse(text)) as T;
    } catch {
      throw this.stranger();
    }
  }

  private async send(
    method: string,
    path: string,
    query?: Query,
    body?: unknown,
    signal?: AbortSignal,
  ): Promise<Response> {
    if (!this.adminKey)
      throw new CliError(
        EXIT.unauthorised,
        'No admin key. Set OPENCLAWMU_ADMIN_KEY to one (ak_...). The first start has shown one; "openclawmu keys create NAME" makes another.',
      );
    const url = this.urlOf(path, query);
    if (!this.warned && isInTheClear(url)) {
      this.warned = true;
      this.warn(`${this.baseUrl} is not https, so your admin key crosses the network unencrypted.`);
    }
    const headers = {
      authorization: `Bearer ${this.adminKey}`,
      accept: 'application/json, text/csv',
      'user-agent': 'openclawmu-cli',
      'x-openclawmu-client': 'cli',
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
    };
    let response: Response;
    try {
      response = await fetch(url, {
        method,
        headers,
        redirect: 'error',
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
        ...(signal ? { signal } : {}),
      });
    } catch (error) {
      throw new CliError(
        EXIT.unreachable,
        `The gateway at ${this.baseUrl} cannot be reached (${reasonOf(error)}). Is it running, and is OPENCLAWMU_URL right? "openclawmu doctor" looks further.`,
      );
    }
    if (!response.ok) throw await refusal(response);
    this.answersLikeOurs = REQUEST_ID.test(response.headers.get('x-request-id') ?? '');
    return response;
  }

  private stranger(): CliError {
    return new CliError(EXIT.unreachable, `What answers at ${this.baseUrl} is not OpenClawMU. Check OPENCLAWMU_URL.`);
  }

  private urlOf(path: string, query: Query = {}): URL {
    let url: URL;
    try {
      url = new URL(`${this.baseUrl.replace(/\/+$/, '')}${path}`);
    } catch {
      throw new CliError(
        EXIT.usage,
        `OPENCLAWMU_URL "${this.baseUrl}" is not an address such as http://127.0.0.1:18789.`,
      );
    }
    for (const [name, value] of Object.entries(query))
      if (value !== undefined) url.searchParams.set(name, String(value));
    return url;
  }
}

/** A path with its parts escaped: a model's name may hold a slash. */
export const path = (parts: TemplateStringsArray, ...values: readonly string[]): string =>
  parts.reduce((text, part, n) => `${text}${encodeURIComponent(values[n - 1] ?? '')}${part}`);

const isInTheClear = ({ protocol, hostname }: URL): boolean => protocol === 'http:' && !LOOPBACK.test(hostname);

async function refusal(response: Response): Promise<CliError> {
  const text = await response.text().catch(() => '');
  let problem: Problem = {};
  try {
    problem = JSON.parse(text) as Problem;
  } catch {
    // Something between us and the gateway answered, a proxy perhaps; its status is all there is to tell.
  }
  const lines = wordsOf(problem) ?? [`The gateway answered ${response.status}.`];
  if (problem.code) lines.push(`(${problem.code}, request ${problem.requestId})`);
  return new CliError(exitCodeOf(response.status), lines.map(printable).join('\n'), problem.code ? problem : undefined);
}

/** Several faults are easier to mend one after the other, so each has a line of its own. */
function wordsOf({ title, detail, fields = [], moreFields }: Problem): string[] | null {
  if (fields.length < 2) return detail === undefined && title === undefined ? null : [detail ?? title ?? ''];
  const faults = fields.map(({ field, problem }) => `${field}: ${problem}`);
  return [title ?? '', ...faults, ...(moreFields === undefined ? [] : [`and ${moreFields} more`])];
}

function reasonOf(error: unknown): string {
  const { cause, message } = error as Error & { cause?: { code?: string; message?: string } };
  return cause?.code ?? cause?.message ?? message;
}
