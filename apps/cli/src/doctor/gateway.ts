import { note, ok, wrong, type Finding } from './finding';

const ABOUT = 'gateway';
const TIMEOUT_MS = 5_000;

/** Whether a gateway answers where commands would call it, and is ready. Needs no key. */
export async function examineGateway(
  { server }: { readonly server: { readonly host: string; readonly port: number } },
  env: Readonly<Record<string, string | undefined>>,
): Promise<Finding> {
  const host = server.host === '0.0.0.0' || server.host === '::' ? '127.0.0.1' : server.host;
  const url = env.OPENCLAWMU_URL || `http://${host.includes(':') ? `[${host}]` : host}:${server.port}`;
  try {
    const response = await fetch(`${url.replace(/\/+$/, '')}/readyz`, { signal: AbortSignal.timeout(TIMEOUT_MS) });
    const text = await response.text();
    if (response.ok) return ok(ABOUT, `answers at ${url} and is ready`);
    if (response.status === 503)
      return wrong(ABOUT, `answers at ${url} but is not ready: ${reasonIn(text)}`, 'Look at its log.');
    return wrong(
      ABOUT,
      `something else answers at ${url} (status ${response.status})`,
      'Set server.port or OPENCLAWMU_URL.',
    );
  } catch (error) {
    const { cause, message } = error as Error & { cause?: { code?: string } };
    return note(
      ABOUT,
      `does not answer at ${url} (${cause?.code ?? message})`,
      'Start it with "npm start" if it should run.',
    );
  }
}

/** A gateway answers with a problem in words; what stands before it may answer anything. */
function reasonIn(text: string): string {
  try {
    const { detail } = JSON.parse(text) as { detail?: unknown };
    if (typeof detail === 'string') return detail;
  } catch {
    // No JSON.
  }
  return text.slice(0, 300);
}
