import type { Source } from './conversation';

const BASE64 = ';base64';

/** What an address names; OpenAI's APIs write bytes as `data:<type>;base64,<bytes>`. */
export function sourceOf(url: string): Source {
  if (!url.startsWith('data:')) return { kind: 'url', url };
  const comma = url.indexOf(',');
  const head = url.slice('data:'.length, comma);
  if (comma < 0 || !head.endsWith(BASE64)) return { kind: 'url', url };
  const told = head.slice(0, -BASE64.length).split(';', 1)[0] ?? '';
  // A name that nobody registered and many write; Anthropic and Google know the registered one alone.
  const mediaType = told === 'image/jpg' ? 'image/jpeg' : told || 'application/octet-stream';
  return { kind: 'base64', mediaType, data: url.slice(comma + 1) };
}

/** Bare base64 is taken for a PDF, as OpenAI does. */
export const asPdf = (data: string): string =>
  data.startsWith('data:') ? data : `data:application/pdf;base64,${data}`;

/** How closely to look at an image; what OpenAI calls `auto` is what everybody does unasked. */
export const detailOf = (detail: string | undefined): string | null =>
  detail === undefined || detail === 'auto' ? null : detail;

export const urlOf = (source: Source): string =>
  source.kind === 'url' ? source.url : `data:${source.mediaType};base64,${source.data}`;

const TYPES: Readonly<Record<string, string>> = {
  png: 'image/png',
  jpg: 'image/jpeg',
  jpeg: 'image/jpeg',
  gif: 'image/gif',
  webp: 'image/webp',
  pdf: 'application/pdf',
  txt: 'text/plain',
};

/** The media type that an address tells by its ending, else the usual one of its kind. */
export function mediaTypeOf(url: string, usual: string): string {
  const path = url.split(/[?#]/, 1)[0] ?? '';
  return TYPES[path.slice(path.lastIndexOf('.') + 1).toLowerCase()] ?? usual;
}
