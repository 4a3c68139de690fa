export interface Target {
  readonly model: string;
  readonly weight?: number | undefined;
}

/**
 * In which order targets are asked: those with a weight share the calls, so that each comes first for its share of all keys; the
 * others stand in for them as they are listed. The same key always gets the same order, and one target more or less moves only the
 * calls it gains or leaves (weighted rendezvous hashing: https://doi.org/10.1109/90.663936).
 */
export function orderOf(targets: readonly Target[], key: string): readonly string[] {
  const shared: { readonly model: string; readonly score: number }[] = [];
  const rest: string[] = [];
  for (const { model, weight } of targets) {
    if (weight === undefined) rest.push(model);
    else shared.push({ model, score: -Math.log(unitOf(`${model}\n${key}`)) / weight });
  }
  return [...shared.sort((a, b) => a.score - b.score).map(({ model }) => model), ...rest];
}

/** A number above 0 and up to 1 that is evenly spread over texts: FNV-1a, finished as MurmurHash3 does. */
function unitOf(text: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (((hash ^ (hash >>> 16)) >>> 0) + 1) / 0x1_0000_0000;
}
