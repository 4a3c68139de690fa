export type { ClientFormat, ProviderFormat } from './format';
export { OWNED_KEYS } from './owned-keys';
export type { Recall } from './reply';
export { MAX_LINE_BYTES, SseLines, type LineSink } from './sse-lines';
export { StreamTranslator } from './stream-translator';
export { translateAnswer } from './translate-answer';
export { errorType, readError, writeError, type ToldError } from './translate-error';
export { translateRequest, type TranslatedRequest, type TranslationOptions } from './translate-request';
