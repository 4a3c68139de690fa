/**
 * Collects all garbage at once; every test has it from its environment. What a weak reference was made of, or gave out, stays until
 * the turn is over.
 */
declare function collectGarbage(): void;
