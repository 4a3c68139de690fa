import type { Detector } from './detector';
import { ExpressionDetector } from './expression-detector';
import { PERSONAL_DATA } from './personal-data';
import { SECRETS } from './secrets';

/** Names that stand for several detectors. */
export const GROUPS: Readonly<Record<string, readonly string[]>> = {
  secrets: Object.keys(SECRETS),
  personal_data: Object.keys(PERSONAL_DATA),
};

const ALL = { ...SECRETS, ...PERSONAL_DATA };

/** What a rule may name: a detector or a group of them. */
export const DETECTOR_NAMES: readonly string[] = [...Object.keys(GROUPS), ...Object.keys(ALL)];

const made = new Map<string, Detector>();

/** The detectors that a name stands for. @throws TypeError where there is none of that name */
export function builtIn(name: string): readonly Detector[] {
  return (GROUPS[name] ?? [name]).map((each) => {
    const known = made.get(each);
    if (known) return known;
    const expression = ALL[each];
    if (!expression) throw new TypeError(`there is no detector "${each}"`);
    const detector = new ExpressionDetector(expression);
    made.set(each, detector);
    return detector;
  });
}
