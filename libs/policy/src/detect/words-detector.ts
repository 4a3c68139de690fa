import { ExpressionDetector } from './expression-detector';

const SYNTAX = /[\\^$.*+?()[\]{}|/]/g;

/** Finds words and phrases whatever their capitals, standing by themselves; blanks of a phrase may be line breaks. */
export function wordsDetector(label: string, words: readonly string[]): ExpressionDetector {
  const phrases = [...words]
    // Of two that begin alike the longer one.
    .sort((one, other) => other.length - one.length)
    .map((word) => word.trim().replace(SYNTAX, '\\$&').replace(/\s+/g, '\\s{1,8}'));
  return new ExpressionDetector({
    label,
    source: `(?<![\\p{L}\\p{N}_])(?:${phrases.join('|')})(?![\\p{L}\\p{N}_])`,
    flags: 'iu',
  });
}
