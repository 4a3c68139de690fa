/** What the doctor has to say about one thing. */
export interface Finding {
  readonly about: string;
  /** `note`: works, but you should know. `wrong`: something will not work. */
  readonly state: 'ok' | 'note' | 'wrong';
  readonly what: string;
  /** What to do about it. */
  readonly remedy?: string;
}

export const ok = (about: string, what: string): Finding => ({ about, state: 'ok', what });

export const note = (about: string, what: string, remedy: string): Finding => ({ about, state: 'note', what, remedy });

export const wrong = (about: string, what: string, remedy: string): Finding => ({
  about,
  state: 'wrong',
  what,
  remedy,
});
