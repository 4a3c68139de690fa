import type { Line } from './line';
import type { ProviderView } from './provider.dto';

/** @param nowMs monotonic */
export function viewOf(
  name: string,
  { provider, breaker, keys, turnstile, retried, lastFault }: Line,
  nowMs: number,
): ProviderView {
  return {
    name,
    address: provider.baseUrl,
    breaker: breaker.state(nowMs),
    keys: keys.size,
    keysAside: keys.size > 1 ? keys.asideAt(nowMs) : 0,
    inside: turnstile?.inside ?? null,
    maxConcurrent: provider.maxConcurrent ?? null,
    waiting: turnstile?.waiting ?? 0,
    retried,
    lastFault,
  };
}
