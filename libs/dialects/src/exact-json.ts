import { randomUUID } from 'node:crypto';

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
/** Stands before a number that is kept as it was written; nobody else's text can begin so. */
const MARK = `\u0000${randomUUID()}:`;
const WRITTEN = new RegExp(`"\\\\u0000${MARK.slice(1)}([^"]*)"`, 'g');

/** Where there may be a number that JavaScript has no room for; most texts have none, and are parsed as usual. */
const SUSPICIOUS = /\d{16}|\d[eE]\+?\d{3}/;
const NUMBER = /-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?/y;

/**
 * Parses JSON so that {@link writeExact} gives every number back: whole ones beyond 2^53, as arguments of tools have for
 * ids, would come back as others. Such a number is a text here, which {@link markedNumber} reads.
 */
export function parseExact(json: string): unknown {
  return JSON.parse(SUSPICIOUS.test(json) ? marked(json) : json);
}

/** What `JSON.stringify` writes, with the numbers that were kept. */
export function writeExact(value: unknown): string {
  const json = JSON.stringify(value);
  return json.includes(MARK.slice(1)) ? json.replace(WRITTEN, '$1') : json;
}

/** The number that a text stands for; undefined for any other text. */
export const markedNumber = (text: string): number | undefined =>
  text.charCodeAt(0) === 0 && text.startsWith(MARK) ? Number(text.slice(MARK.length)) : undefined;

function marked(json: string): string {
  let out = '';
  let from = 0;
  for (let at = 0; at < json.length;) {
    const code = json.charCodeAt(at);
    if (code === QUOTE) at = behindString(json, at);
    else if (code !== 0x2d && (code < 0x30 || code > 0x39)) at += 1;
    else {
      NUMBER.lastIndex = at;
      const [told = ''] = NUMBER.exec(json) ?? [];
      if (!isExact(told)) {
        out += `${json.slice(from, at)}"\\u0000${MARK.slice(1)}${told}"`;
        from = at + told.length;
      }
      at += told.length || 1;
    }
  }
  return out + json.slice(from);
}

const isExact = (told: string): boolean =>
  told === '' || (/^-?\d+$/.test(told) ? Number.isSafeInteger(Number(told)) : Number.isFinite(Number(told)));

function behindString(json: string, start: number): number {
  for (let end = json.indexOf('"', start + 1); end >= 0; end = json.indexOf('"', end + 1)) {
    let before = end;
    while (json.charCodeAt(before - 1) === BACKSLASH) before -= 1;
    if ((end - before) % 2 === 0) return end + 1;
  }
  return json.length;
}
