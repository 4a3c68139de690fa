import Anthropic from '@anthropic-ai/sdk';
import OpenAI from 'openai';

/** The official OpenAI SDK, without retries, for a server's origin. */
export function openaiClient(origin: string, apiKey: string): OpenAI {
  return new OpenAI({ apiKey, baseURL: `${origin}/v1`, maxRetries: 0 });
}

/** The official Anthropic SDK, without retries, for a server's origin. */
export function anthropicClient(origin: string, apiKey: string): Anthropic {
  return new Anthropic({ apiKey, baseURL: origin, maxRetries: 0 });
}

/** Reads a stream to its end, into `seen` so that a failing one leaves what had come. */
export async function collect<T>(stream: PromiseLike<AsyncIterable<T>>, seen: T[] = []): Promise<T[]> {
  for await (const event of await stream) seen.push(event);
  return seen;
}

/** The error with which the work fails; throws when it succeeds. */
export async function failureOf(work: PromiseLike<unknown>): Promise<unknown> {
  try {
    await work;
  } catch (error) {
    return error;
  }
  throw new Error('it should have failed');
}

/** The innermost cause of an error. */
export function rootCause(error: unknown): unknown {
  return error instanceof Error && error.cause !== undefined ? rootCause(error.cause) : error;
}
