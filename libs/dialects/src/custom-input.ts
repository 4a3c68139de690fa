const ESCAPES: Readonly<Record<string, string>> = { n: '\n', t: '\t', r: '\r', b: '\b', f: '\f' };

/**
 * Takes the free text out of `{"input":"…"}` while that arrives in fragments cut anywhere. What does not have this
 * shape gives nothing.
 */
export class CustomInput {
  private state: 'before' | 'inside' | 'escape' | 'unicode' | 'after' = 'before';
  private seen = '';
  private code = '';
  /** The whole text so far. */
  input = '';

  push(fragment: string): string {
    let out = '';
    for (const letter of fragment) out += this.letter(letter);
    this.input += out;
    return out;
  }

  private letter(letter: string): string {
    switch (this.state) {
      case 'before':
        this.seen += letter;
        if (/^\s*\{\s*"input"\s*:\s*"$/.test(this.seen)) this.state = 'inside';
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
      case 'after':
        return '';
    }
  }
}
