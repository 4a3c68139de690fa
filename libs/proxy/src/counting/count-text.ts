/**
 * What may stand around a value of the request once a template has written it out: quotes, separators, the marks of a
 * message or of a line in a tool's description. OpenAI's own count is 3 around a message
 * (https://cookbook.openai.com/examples/how_to_count_tokens_with_tiktoken) and up to 7 around a tool.
 */
const AROUND_A_VALUE = 6;

/**
 * Texts are counted in slices of so many UTF-16 units: the time a tokenizer takes grows with the square of a word, and
 * a word may be as long as the request.
 */
const SLICE = 512;

/** Cut or joined texts may come out a little longer than the sum of their pieces. */
const MARGIN = 1.02;

/**
 * The most tokens that the text of a request can become: all its keys and values, and what may stand around each.
 * @param count tokens of one short text
 */
export function countText(request: unknown, count: (text: string) => number): number {
  let tokens = 0;
  const add = (text: string): void => {
    for (let at = 0; at < text.length; at += SLICE) tokens += count(text.slice(at, at + SLICE));
  };
  const waiting: unknown[] = [request];
  while (waiting.length > 0) {
    const value = waiting.pop();
    tokens += AROUND_A_VALUE;
    if (typeof value === 'string') add(value);
    else if (Array.isArray(value)) for (const item of value) waiting.push(item);
    else if (typeof value === 'object' && value !== null)
      for (const [key, item] of Object.entries(value)) {
        add(key);
        waiting.push(item);
      }
    // A number or a word: no more tokens than characters.
    else tokens += String(value).length;
  }
  return Math.ceil(tokens * MARGIN);
}
