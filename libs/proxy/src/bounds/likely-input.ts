import type { ModelEntry } from '@app/billing';
import type { RequestFacts } from '../request/request-facts';
import { mediaTokensMax } from './media-bounds';

/** Rule of thumb of the providers' own pages: a token of text is about four bytes. Used only where nothing was told. */
export const BYTES_PER_TOKEN = 4;

/**
 * How many tokens a request's input probably has. Media are no text: a picture has as many as its pixels make, however many bytes of
 * base64 it takes.
 */
export function likelyInput({ bodyBytes, media }: RequestFacts, body: Buffer, model: ModelEntry): number {
  let textBytes = bodyBytes;
  let mediaTokens = 0;
  for (const block of media) {
    const bytes = block.end - block.start;
    textBytes -= bytes;
    mediaTokens += Math.min(mediaTokensMax([block], body, model).tokens, Math.ceil(bytes / BYTES_PER_TOKEN));
  }
  return Math.ceil(textBytes / BYTES_PER_TOKEN) + mediaTokens;
}
