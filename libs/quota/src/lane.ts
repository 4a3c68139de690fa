/** Work that must not overlap: one piece after the other, in the order asked for. */
export class Lane {
  #last: Promise<unknown> = Promise.resolve();

  run<T>(work: () => Promise<T>): Promise<T> {
    const next = this.#last.then(work);
    this.#last = next.catch(() => undefined);
    return next;
  }
}

/** Work that must not overlap with that of any of these. Whoever asks for several lanes does so in one go, so that no two wait for each other. */
export async function inAll<T>(lanes: readonly Lane[], work: () => Promise<T>): Promise<T> {
  let leave!: () => void;
  const left = new Promise<void>((resolve) => (leave = resolve));
  const entered = lanes.map((lane) => new Promise<void>((enter) => void lane.run(() => (enter(), left))));
  try {
    await Promise.all(entered);
    return await work();
  } finally {
    leave();
  }
}
