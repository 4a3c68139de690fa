/** Hundreds for the first number of a version, so that 4.10 comes behind 4.9. */
const VERSION = /claude-([a-z]+)-(\d{1,2})(?!\d)(?:[-.](\d{1,2})(?!\d))?/;

/** How a request says that the model is not to think. */
export type WithoutThinking =
  /** It does not think unless it is told to. */
  | { readonly kind: 'unasked' }
  | { readonly kind: 'config'; readonly config: object }
  /** It always thinks; an effort is all that can be lowered. */
  | { readonly kind: 'never' };

/**
 * What models of Anthropic's take by the version in their names, from its migration guides of 4.6 to 5.5: what a model
 * does not take fails the request. A name without a version is taken for an older model.
 */
export class Claude {
  readonly #family: string;
  readonly #version: number;

  constructor(model: string) {
    const [, family = '', first, second] = VERSION.exec(model) ?? [];
    this.#family = family;
    this.#version = Number(first ?? 0) * 100 + Number(second ?? 0);
  }

  /** Since 4.6 it decides by itself how long to think; earlier ones want a number of tokens. */
  get thinksAdaptively(): boolean {
    return this.#version >= 406;
  }

  /** Since 4.1 one of a temperature and `top_p` is all that is taken. */
  get takesTopPBeside(): boolean {
    return this.#version < 401;
  }

  /** Since 4.7 a temperature and the like are refused unless they say what holds anyway. */
  get takesSampling(): boolean {
    return this.#version < 407;
  }

  /** Since 4.8 the system may speak again behind a turn of the user's. */
  get hearsSystemLater(): boolean {
    return this.#version >= 408;
  }

  get withoutThinking(): WithoutThinking {
    if (this.#version < 500) return { kind: 'unasked' };
    if (this.#family === 'sonnet' && this.#version >= 505) return { kind: 'config', config: { type: 'between_tools' } };
    const canBeOff = this.#family === 'haiku' || (/opus|sonnet/.test(this.#family) && this.#version < 505);
    return canBeOff ? { kind: 'config', config: { type: 'disabled' } } : { kind: 'never' };
  }
}
