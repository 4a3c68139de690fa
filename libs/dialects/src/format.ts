/** What clients speak: OpenAI's chat completions, OpenAI's responses without state, Anthropic's messages. */
export type ClientFormat = 'chat' | 'responses' | 'messages';

/** What providers speak: the same, and Google's generateContent. */
export type ProviderFormat = ClientFormat | 'gemini';
