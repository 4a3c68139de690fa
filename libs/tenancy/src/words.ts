/** Shapes of what people type, shared by the DTOs. */

export const TENANT_ID = /^[a-z0-9][a-z0-9_-]{0,31}$/;
export const TOKEN_ID = /^tok_[0-9a-f]{32}$/;

/** One line of text: no control characters, no halves of characters, not blank at either end. */
export const LINE = /^(?!\s)[^\p{Cc}\p{Cs}\u2028\u2029]+(?<!\s)$/u;
export const LINE_TEXT = 'must be one line of text without blanks at its ends';

/** An exact model name, or a prefix ending in `*`. */
export const MODEL_PATTERN = /^[\x21-\x29\x2b-\x7e]{0,199}(?:[\x21-\x29\x2b-\x7e]|\*)$/;
export const MODEL_PATTERN_TEXT = 'must hold model names, or beginnings of names that end in "*"';
export const MAX_MODEL_PATTERNS = 200;

/** An ISO 8601 instant whose zone is said. */
export const INSTANT = /^\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d{1,9})?)?(Z|[+-]\d\d:\d\d)$/;
