/** A model API as it is on the wire: what a request and its answer look like. */
export type Wire = 'chat' | 'responses' | 'embeddings' | 'messages';

/** What a provider may speak beside what clients do. */
export type ProviderWire = Wire | 'gemini';

/** Whose conventions a wire follows beyond its bodies: errors, headers, key. */
export type Dialect = 'openai' | 'anthropic';

export const DIALECT_OF: Readonly<Record<Wire, Dialect>> = {
  chat: 'openai',
  responses: 'openai',
  embeddings: 'openai',
  messages: 'anthropic',
};

/** The routes as the providers know them, however a client spelled them: Express ignores a slash at the end. */
export const PATH_OF: Readonly<Record<Wire, string>> = {
  chat: '/v1/chat/completions',
  responses: '/v1/responses',
  embeddings: '/v1/embeddings',
  messages: '/v1/messages',
};

export const WIRES = Object.keys(PATH_OF) as readonly Wire[];

/** What a provider is asked in that does not speak the client's wire: the one that says most of it comes first. */
const TRANSLATIONS: Readonly<Record<Wire, readonly ProviderWire[]>> = {
  chat: ['responses', 'messages', 'gemini'],
  responses: ['chat', 'messages', 'gemini'],
  messages: ['responses', 'chat', 'gemini'],
  embeddings: [],
};

/** On which of the wires that a provider speaks a request is sent; null where none can say what it says. */
export const wireTo = (spoken: readonly ProviderWire[], wire: Wire): ProviderWire | null =>
  spoken.includes(wire) ? wire : (TRANSLATIONS[wire].find((other) => spoken.includes(other)) ?? null);
