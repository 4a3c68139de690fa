/** A manifest as a file, for people too. */
export async function* manifestText(manifest: object): AsyncGenerator<string> {
  yield await Promise.resolve(`${JSON.stringify(manifest, null, 2)}\n`);
}
