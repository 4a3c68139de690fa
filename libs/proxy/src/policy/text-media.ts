import { isUtf8 } from 'node:buffer';

const TEXT_TYPE =
  /^(?:text\/[\w.+-]+|application\/(?:json|xml|yaml|x-yaml|toml|javascript|sql|csv|x-ndjson|[\w.-]+\+(?:json|xml)))$/i;
const DATA_URL = /^data:([^;,]*)((?:;[^;,]*)*?)(;base64)?,/i;

/** A text that stands in a request as base64, and how it is written there again. */
export interface EncodedText {
  readonly text: string;
  readonly again: (text: string) => string;
}

/** The text of a `data:` URL; null where it is none, or none of a text. */
export function textOfDataUrl(url: string): EncodedText | null {
  const head = DATA_URL.exec(url);
  if (!head || head[3] === undefined) return null;
  const encoded = textOfBase64(head[1] ?? '', url.slice(head[0].length));
  return encoded && { text: encoded.text, again: (text) => head[0] + encoded.again(text) };
}

/** The text that base64 of a media type is; null where it is no text. */
export function textOfBase64(mediaType: string, data: string): EncodedText | null {
  if (!TEXT_TYPE.test(mediaType.trim())) return null;
  const bytes = Buffer.from(data, 'base64');
  // In another encoding it would read as something else.
  if (!isUtf8(bytes) || bytes.includes(0)) return null;
  return { text: bytes.toString('utf8'), again: (text) => Buffer.from(text, 'utf8').toString('base64') };
}
