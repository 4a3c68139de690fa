import { type Behaviour, DEFAULT_TEXT, EMOJI_TEXT } from './behaviour';

type Draft = { -readonly [K in keyof Behaviour]: Behaviour[K] };

const NUMBERED = new Map(
  Object.entries<(draft: Draft, value: number) => void>({
    l: (draft, value) => (draft.delayMs = value),
    n: (draft, value) => (draft.chunks = value),
    g: (draft, value) => (draft.gapMs = value),
    s: (draft, value) => (draft.text = DEFAULT_TEXT.repeat(Math.ceil(value / DEFAULT_TEXT.length)).slice(0, value)),
    i: (draft, value) => (draft.tokens = { ...draft.tokens, input: value }),
    o: (draft, value) => (draft.tokens = { ...draft.tokens, output: value }),
    c: (draft, value) => (draft.tokens = { ...draft.tokens, cacheRead: value }),
    w: (draft, value) => (draft.tokens = { ...draft.tokens, cacheWrite5m: value }),
    v: (draft, value) => (draft.tokens = { ...draft.tokens, cacheWrite1h: value }),
    r: (draft, value) => (draft.tokens = { ...draft.tokens, reasoning: value }),
    e: (draft, value) => (draft.error = value),
    h: (draft, value) => (draft.pauseAt = value),
    t: (draft, value) => (draft.breakAt = { at: value, how: 'truncate' }),
    x: (draft, value) => (draft.breakAt = { at: value, how: 'disconnect' }),
    y: (draft, value) => (draft.breakAt = { at: value, how: 'error-event' }),
    b: (draft, value) => (draft.framing = { ...draft.framing, bytesPerWrite: value }),
  }),
);

const WORDS = new Map(
  Object.entries<(draft: Draft) => void>({
    silent: (draft) => (draft.pauseAt = 'before-headers'),
    hang: (draft) => (draft.pauseAt = 'after-headers'),
    nohead: (draft) => (draft.breakAt = { at: 'before-headers', how: 'disconnect' }),
    html: (draft) => (draft.html = 502),
    u: (draft) => (draft.usage = 'missing'),
    liehuge: (draft) => (draft.usage = 'huge'),
    lienegative: (draft) => (draft.usage = 'negative'),
    lietext: (draft) => (draft.usage = 'text'),
    emoji: (draft) => (draft.text = EMOJI_TEXT),
    tools: (draft) => (draft.toolCall = { name: 'get_weather', arguments: { city: 'Zürich', days: [1, 2, 3] } }),
    extras: (draft) => (draft.extras = true),
    gzip: (draft) => (draft.gzip = true),
    crlf: (draft) => (draft.framing = { ...draft.framing, newline: '\r\n' }),
    cr: (draft) => (draft.framing = { ...draft.framing, newline: '\r' }),
    tight: (draft) => (draft.framing = { ...draft.framing, tight: true }),
    comments: (draft) => (draft.framing = { ...draft.framing, comments: true }),
    spread: (draft) => (draft.framing = { ...draft.framing, spread: true }),
    p: (draft) => (draft.framing = { ...draft.framing, bytesPerWrite: 'all' }),
  }),
);

/**
 * The behaviour written in a model's name, so that tests in any process share no state: `fake-n50-g10` is 50 pieces
 * 10 ms apart. Other names are healthy models. Throws on a part it does not know: a misspelt scenario must not pass
 * for a healthy answer.
 *
 * | part | means | part | means |
 * |---|---|---|---|
 * | `l50` | ms before the first byte | `silent` `hang` `h3` | silence before headers, after them, after 3 pieces |
 * | `n50` `g10` `s24` | pieces, ms between, characters in each | `nohead` `x3` | disconnect before headers, after 3 pieces |
 * | `i9` `o9` `r9` | input, output, reasoning tokens | `t3` `y3` | clean but early end, error event, after 3 pieces |
 * | `c9` `w9` `v9` | cache read, 5 min write, 1 h write | `e429` `html` | error in the dialect, page of a middlebox |
 * | `u` `liehuge` `lienegative` `lietext` | usage missing or absurd | `b3` `p` | a write per 3 bytes, one write for all |
 * | `emoji` `tools` `extras` `gzip` | content | `crlf` `cr` `tight` `comments` `spread` | framing of the events |
 */
export function behaviourOfModel(model: string): Behaviour {
  // A catalogue may tell its providers apart by a prefix, as in `claude/fake-n50`.
  const [family, ...parts] = (model.split('/').at(-1) as string).split('-');
  const draft: Draft = {};
  if (family !== 'fake') return draft;
  for (const part of parts) {
    const [, letter = '', digits = ''] = /^([a-z])(\d+)$/.exec(part) ?? [];
    const apply = NUMBERED.get(letter) ?? WORDS.get(part);
    if (!apply) throw new Error(`the fake provider knows no scenario "${part}" (in model "${model}")`);
    apply(draft, Number(digits));
  }
  return draft;
}
