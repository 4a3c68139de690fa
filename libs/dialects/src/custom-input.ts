const ESCAPES: Readonly<Record<string, string>> = { n: '\n', t: '\t', r: '\r', b: '\b', f: '\f' };
const START = /^\s*\{\s*"input"\s*:\s*"$/;
/** What has not begun as expected by then does not. */
const LONGEST_START = 64;

/** The free text in the arguments of a function that stands in for a tool of free text. */
export function customInput(args: string): string {
  const custom = new CustomInput();
  return custom.push(args) + custom.end();
}

/**
 * Takes the free text out of `{"input":"…"}` while that arrives in fragments cut anywhere. Of what has another shape
 * all is known at the end only.
 */
export class CustomInput {
  private state: 'before' | 'other' | 'inside' | 'escape' | 'unicode' | 'after' = 'before';
  private seen = '';
  private code = '';
  /** The first half of a character that is written by two escapes. */
  private half = '';
  /** The arguments as they came. */
  private args = '';
  /** The whole text so far. */
  input = '';

  push(fragment: string): string {
    this.args += fragment;
    let out = this.half;
    for (const letter of fragment) out += this.letter(letter);
    this.half = /[\ud800-\udbff]$/.exec(out)?.[0] ?? '';
    return this.told(out.slice(0, out.length - this.half.length));
  }

  /** The arguments have ended, maybe too early. Gives what was not told yet. */
  end(): string {
    const rest = this.half;
    this.half = '';
    return this.told(this.state === 'before' || this.state === 'other' ? inputOf(this.args) : rest);
  }

  private told(text: string): string {
    this.input += text;
    return text;
  }

  private letter(letter: string): string {
    switch (this.state) {
      case 'before':
        this.seen += letter;
        if (START.test(this.seen)) this.state = 'inside';
        else if (this.seen.length > LONGEST_START) this.state = 'other';
        return '';
      case 'inside':
        if (letter === '\\') this.state = 'escape';
        else if (letter === '"') this.state = 'after';
        else return letter;
        return '';
      case 'escape':
        this.state = letter === 'u' ? 'unicode' : 'inside';
        return letter === 'u' ? '' : (ESCAPES[letter] ?? letter);
      case 'unicode':
        this.code += letter;
        if (this.code.length < 4) return '';
        letter = String.fromCharCode(parseInt(this.code, 16));
        this.code = '';
        this.state = 'inside';
        return letter;
      case 'other':
      case 'after':
        return '';
    }
  }
}

/** The argument `input` among others; the arguments themselves where the model wrote none. */
function inputOf(args: string): string {
  try {
    const { input } = JSON.parse(args) as { input?: unknown };
    if (typeof input === 'string') return input;
  } catch {
    // taken as they are
  }
  return args;
}
