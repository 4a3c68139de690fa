/** Something found in a text; offsets in UTF-16 units, the end exclusive. */
export interface Match {
  readonly start: number;
  readonly end: number;
}

/**
 * Finds one kind of thing. Whether a match starts somewhere depends on at most {@link CONTEXT} units before it, on the match
 * and on one unit behind it: that is what lets a text be searched in pieces.
 */
export interface Detector {
  /** What stands in the place of what was found: `[<label> removed]`. */
  readonly label: string;
  /** The longest match. */
  readonly longest: number;
  /**
   * Whether there may be a match at or after `from`: a quick look over all of the text, so it is for once a text and not for once a
   * match, or a text with many would be looked over as often.
   */
  mayFind(text: string, from: number): boolean;
  /** The first match that starts at or after `from`. */
  next(text: string, from: number): Match | null;
  /** From where on the end of a text may yet become a match if the text goes on; its length where nothing can. */
  open(text: string, from: number): number;
}

/** Units before a match that decide whether it is one. */
export const CONTEXT = 4;
